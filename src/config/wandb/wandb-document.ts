import { existsSync } from 'node:fs';
import { basename, isAbsolute, join, relative } from 'node:path';

import { toProblem } from '../check-config.js';
import type { ConfigProblem } from '../config-error.js';
import { ConfigDocument } from '../yaml-document.js';
import { convertWandbSweep, isWandbSweep, WANDB_KEYS } from './wandb-sweep.js';

/** A W&B sweep file, read as a configuration. */
export interface WandbDocument {
  /** The configuration, as YAML. */
  readonly text: string;
  readonly problems: readonly ConfigProblem[];
  readonly warnings: readonly string[];
  /** A problem of the configuration, at the place in the sweep file that it comes from. */
  readonly relocate: (problem: ConfigProblem) => ConfigProblem;
}

/** The configuration in a W&B sweep file; undefined where a text is none. Nothing in it is a variable of the environment. */
export function readWandbDocument(
  text: string,
  file: string,
  from: { readonly projectRoot: string; readonly configFolder: string | undefined; readonly set: readonly string[] },
): WandbDocument | undefined {
  const document = new ConfigDocument(text, file, {}, WANDB_KEYS);
  const value = document.toValue();
  if (!isWandbSweep(value)) return undefined;
  const sweep = convertWandbSweep(value, {
    baseName: basename(file).replace(/\.ya?ml$/i, ''),
    isFloat: (path) => document.isWrittenAsFloat(path),
    workingFolder: (program) => workingFolder(program, from),
    isMetricGiven: from.set.some((assignment) => /^metric\.name\s*=/.test(assignment)),
  });
  const native = new ConfigDocument(sweep.text, file, {}, WANDB_KEYS);
  return {
    text: sweep.text,
    problems: sweep.problems.map((problem) => toProblem(problem, document)),
    warnings: sweep.warnings,
    relocate: (problem) => {
      if (problem.line === undefined) return problem;
      const path = sweep.pathOf(native.pathOfKey(problem.key));
      const { file: _file, found: _found, ...place } = document.locate(path);
      return { ...problem, ...place, key: path.join('.') };
    },
  };
}

/** A program is looked for below the working folder of the agent: the project root, else beside the sweep file. */
function workingFolder(
  program: string,
  { projectRoot, configFolder }: { readonly projectRoot: string; readonly configFolder: string | undefined },
): string | undefined {
  if (configFolder === undefined || isAbsolute(program) || existsSync(join(projectRoot, program))) return undefined;
  return existsSync(join(configFolder, program)) ? relative(projectRoot, configFolder) || undefined : undefined;
}
