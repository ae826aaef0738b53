import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { writeFileAtomically } from '../../core/atomic-file.js';
import { UsageError } from '../../core/errors.js';
import { jsonSchemaOf } from '../../config/json-schema.js';
import { findProjectRoot } from '../../config/project-root.js';
import { configRegistry } from '../studies/config-registry.js';
import { firstConfigText } from './first-config.js';
import { MODULE_OBJECTIVE, NODE_OBJECTIVE, PYTHON_OBJECTIVE } from './objective-files.js';

export interface InitOptions {
  /** The configuration to write. */
  readonly path: string;
  readonly objective: 'tfjs' | 'command' | 'module';
  readonly study: string;
  readonly trials: number;
}

/** Paths relative to the working directory. */
export interface InitResult {
  readonly config: string;
  readonly files: readonly string[];
}

const DIGITS = fileURLToPath(new URL('../../../data/digits.csv.gz', import.meta.url));

/** What `--yes` chooses: a built-in trainer where TensorFlow.js is installed. */
export function defaultObjective(): InitOptions['objective'] {
  try {
    createRequire(import.meta.url).resolve('@tensorflow/tfjs-core');
    return 'tfjs';
  } catch {
    return 'module';
  }
}

/**
 * Writes a configuration that runs as it is, and what it needs.
 * @throws UsageError where a file is there already: nothing is overwritten, and then nothing is written
 */
export async function initProject({ path, objective, study, trials }: InitOptions): Promise<InitResult> {
  const config = resolve(path);
  if (!/\.ya?ml$/i.test(config)) throw new UsageError(`A configuration is a .yaml file, but got "${path}".`);
  const folder = dirname(config);
  const projectRoot = findProjectRoot(folder, folder);
  const python = objective === 'command' && hasPython();
  const input = resolve(folder, inputName(objective, python));
  const writes = new Map<string, () => void>();
  const schemaPath = await schemaFor(folder, writes);
  writes.set(config, () => {
    const text = firstConfigText({
      objective,
      study,
      trials,
      configPath: shown(config),
      schemaPath,
      input: slashes(relative(projectRoot, input)),
      interpreter: python ? 'python3' : 'node',
    });
    writeFileAtomically(config, text);
  });
  if (objective !== 'tfjs') {
    const text = objective === 'module' ? MODULE_OBJECTIVE : python ? PYTHON_OBJECTIVE : NODE_OBJECTIVE;
    writes.set(input, () => {
      writeFileAtomically(input, text);
    });
  } else if (!isSame(input, DIGITS)) {
    writes.set(input, () => {
      mkdirSync(dirname(input), { recursive: true });
      copyFileSync(DIGITS, input);
    });
  }
  const there = [...writes.keys()].filter((file) => existsSync(file)).map(shown);
  if (there.length > 0) {
    throw new UsageError(
      `${there.join(' and ')} ${there.length > 1 ? 'are' : 'is'} there already; nothing was written.`,
      {
        hint: 'resweep init OTHER.yaml, in another folder where an objective file is in the way.',
      },
    );
  }
  for (const write of writes.values()) write();
  return { config: shown(config), files: [...writes.keys()].map(shown) };
}

function inputName(objective: InitOptions['objective'], python: boolean): string {
  if (objective === 'tfjs') return join('data', 'digits.csv.gz');
  if (objective === 'module') return 'objective.mjs';
  return python ? 'train.py' : 'train.mjs';
}

/** The schema of an installed resweep, else a file beside the configuration. */
async function schemaFor(folder: string, writes: Map<string, () => void>): Promise<string> {
  for (let at = folder; ; at = dirname(at)) {
    const installed = join(at, 'node_modules', 'resweep', 'configs', 'resweep.schema.json');
    if (existsSync(installed)) return `./${slashes(relative(folder, installed))}`;
    if (dirname(at) === at) break;
  }
  const own = join(folder, 'resweep.schema.json');
  if (!existsSync(own)) {
    const text = `${JSON.stringify(jsonSchemaOf(await configRegistry()), null, 2)}\n`;
    writes.set(own, () => {
      writeFileAtomically(own, text);
    });
  }
  return `./${basename(own)}`;
}

function hasPython(): boolean {
  return spawnSync('python3', ['--version'], { stdio: 'ignore' }).status === 0;
}

function isSame(path: string, other: string): boolean {
  return existsSync(path) && readFileSync(path).equals(readFileSync(other));
}

function slashes(path: string): string {
  return path.replaceAll('\\', '/');
}

function shown(path: string): string {
  return relative(process.cwd(), path) || path;
}
