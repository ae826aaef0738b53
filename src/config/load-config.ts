import { readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';

import { messageOf, UsageError } from '../core/errors.js';
import type { SweepConfig } from '../core/sweep-config.js';
import { checkConfig } from './check-config.js';
import { ConfigError, type ConfigProblem } from './config-error.js';
import { LITERAL_KEYS, type ConfigRegistry } from './config-schema.js';
import { detectEnvironment } from './environment.js';
import { findProjectRoot } from './project-root.js';
import { readWandbDocument } from './wandb/wandb-document.js';
import { ConfigDocument } from './yaml-document.js';

export interface LoadOptions {
  /** What samplers, pruners, trainers, destinations and launchers there are. */
  readonly registry: ConfigRegistry;
  /** `dotted.key=value` from the command line; the value is YAML. Later ones win. */
  readonly set?: readonly string[] | undefined;
  /** For `${NAME}` and for the label of this machine. Default: `process.env`. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Whether data and modules that it names must be there (default), or may lie on another machine. */
  readonly checkFiles?: boolean | undefined;
}

export interface LoadedConfig {
  readonly config: SweepConfig;
  /** Absolute path of the file, or the name given to a text. */
  readonly path: string;
  readonly projectRoot: string;
  /** Folder of the file: where what it names may lie, beside the project root. */
  readonly configFolder: string | undefined;
  /** The text as it stands in the file. */
  readonly text: string;
  /** The text with everything from `set` in it, `${NAME}` unresolved: free of secrets, to be stored and read again by `loadConfigText`. */
  readonly resolvedText: string;
  /** Sentences about what works but may not be meant. */
  readonly warnings: readonly string[];
  /** Writes values that came from the environment as `${NAME}` again, for anything that is shown. */
  readonly redact: (text: string) => string;
}

/**
 * Reads and checks a configuration.
 * @throws ConfigError with every problem at once. UsageError where the file cannot be read.
 */
export function loadConfig(path: string, options: LoadOptions): LoadedConfig {
  const absolute = resolve(path);
  let text: string;
  try {
    text = readFileSync(absolute, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const reason =
      code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a folder' : messageOf(error);
    throw new UsageError(`The configuration ${path} cannot be read: ${reason}.`, { cause: error, code: 'CONFIG_FILE' });
  }
  const configFolder = dirname(absolute);
  return load(text, shortest(absolute), {
    ...options,
    path: absolute,
    configFolder,
    projectRoot: findProjectRoot(configFolder),
  });
}

/** The same for a text from elsewhere, such as the one stored in a study. `name` stands for the file in messages. */
export function loadConfigText(
  text: string,
  options: LoadOptions & {
    readonly name: string;
    readonly projectRoot: string;
    /** Where what it names may lie, beside the project root. */
    readonly configFolder?: string | undefined;
  },
): LoadedConfig {
  return load(text, options.name, { ...options, path: options.name, configFolder: options.configFolder });
}

function load(
  text: string,
  name: string,
  options: LoadOptions & Pick<LoadedConfig, 'path' | 'configFolder' | 'projectRoot'>,
): LoadedConfig {
  const { registry, set = [], env = process.env, checkFiles = true, path, configFolder, projectRoot } = options;
  const written = new ConfigDocument(text, name, env, LITERAL_KEYS);
  if (!written.readable) throw new ConfigError(name, written.problems);
  const sweep = readWandbDocument(text, name, { projectRoot, configFolder, set });
  const document = sweep === undefined ? written : new ConfigDocument(sweep.text, name, env, LITERAL_KEYS);
  for (const assignment of set) document.set(assignment);
  if (sweep !== undefined && sweep.problems.length > 0)
    throw new ConfigError(name, [...sweep.problems, ...document.problems]);
  const { config, problems, warnings } = checkConfig(document, {
    registry,
    projectRoot,
    configFolder,
    checkFiles,
    environment: detectEnvironment(env),
  });
  const placed = sweep === undefined ? problems : problems.map((problem) => sweep.relocate(problem));
  if (config === undefined) throw new ConfigError(name, withoutRepeats(placed));
  return {
    config,
    path,
    projectRoot,
    configFolder,
    text,
    resolvedText: document.toText(),
    warnings: [...(sweep?.warnings ?? []), ...warnings],
    redact: (shown) => document.secrets.redact(shown),
  };
}

function withoutRepeats(problems: readonly ConfigProblem[]): readonly ConfigProblem[] {
  const seen = new Set<string>();
  return problems.filter((problem) => {
    const id = `${problem.file}:${String(problem.line)}:${String(problem.column)}:${problem.key}:${problem.message}`;
    return !seen.has(id) && seen.add(id);
  });
}

/** The path as a person would name it: relative where that is shorter. */
function shortest(absolute: string): string {
  const fromHere = relative(process.cwd(), absolute);
  return fromHere !== '' && fromHere.length < absolute.length && !fromHere.startsWith('../..') ? fromHere : absolute;
}

/** One configuration for each of `backbones`: one study each, with a name of its own where all are in one database. */
export function configsOf(config: SweepConfig): readonly SweepConfig[] {
  const { backbones, storage, study } = config;
  const isShared = backbones.length > 1 && storage.kind === 'url';
  return backbones.map((backbone) => ({ ...config, backbone, study: isShared ? `${study}-${backbone}` : study }));
}
