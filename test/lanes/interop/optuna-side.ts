import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';

import { canonicalJson, parseJson, type JsonValue } from '../../../src/core/json.js';
import { stringifyJson } from '../../../src/core/json.js';
import { bestTrialOf } from '../../../src/study/best-trials.js';
import type { Study } from '../../../src/study/study.js';
import type { Trial } from '../../../src/study/trial.js';
import { TrialPruned } from '../../../src/core/errors.js';

const PROGRAM = resolve(import.meta.dirname, 'optuna_side.py');

function pythonPath(): string {
  const python = process.env['RESWEEP_PYTHON'];
  if (python === undefined)
    throw new Error('RESWEEP_PYTHON names no Python with Optuna: run scripts/lane.mjs interop.');
  return python;
}

/** Python with one version of Optuna: the one installed, or one in a folder that comes first. */
export class OptunaSide {
  readonly #env: NodeJS.ProcessEnv;

  constructor(packages?: string) {
    // Times in the database are UTC; a zone of its own shows whoever takes them for local.
    this.#env = { ...process.env, TZ: 'Asia/Tokyo', ...(packages !== undefined && { PYTHONPATH: packages }) };
  }

  /** Runs one command of optuna_side.py on a file or the URL of a server. */
  async run(command: string, path: string, study: string, ...args: (string | number)[]): Promise<JsonValue> {
    const { stdout } = await promisify(execFile)(
      pythonPath(),
      [PROGRAM, command, urlOf(path), study, ...args.map(String)],
      { env: this.#env, maxBuffer: 2 ** 28 },
    );
    return parseJson(stdout.trim().split('\n').at(-1) ?? '');
  }

  /** Starts one that works beside others. */
  start(path: string, study: string, n: number, log: string): ChildProcess {
    return spawn(pythonPath(), [PROGRAM, 'work', urlOf(path), study, String(n), log], {
      env: this.#env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }
}

/** The URL by which Python opens what we open. */
function urlOf(place: string): string {
  return place.includes('://') ? place.replace(/^postgresql:/, 'postgresql+psycopg:') : `sqlite:///${place}`;
}

/** A program that pip has put beside Python (`optuna`, `optuna-dashboard`). */
export function pythonProgram(name: string): string {
  return join(dirname(pythonPath()), name);
}

/** Puts packages into a folder. */
export async function installInto(folder: string, ...packages: string[]): Promise<void> {
  await promisify(execFile)(pythonPath(), [
    '-m',
    'pip',
    'install',
    '--quiet',
    '--no-deps',
    '--target',
    folder,
    ...packages,
  ]);
}

/** A study as `optuna_side.py dump` prints it, from our view of it. */
export async function dumpOf(study: Study): Promise<JsonValue> {
  const trials = await study.trials();
  await study.refreshAttributes();
  const [direction] = study.directions;
  const isSingle = study.directions.length === 1;
  const best = isSingle && direction !== undefined ? bestTrialOf(trials, direction) : undefined;
  return normal({
    name: study.studyName,
    directions: study.directions,
    userAttrs: study.userAttrs,
    systemAttrs: study.systemAttrs,
    metricNames: study.metricNames ?? null,
    best: best?.number ?? null,
    front: isSingle ? null : (await study.bestTrials()).map((trial) => trial.number),
    rows: trials.length,
    trials: trials.map((trial) => ({
      number: trial.number,
      trialId: trial.trialId,
      state: trial.state,
      values: trial.values ?? null,
      params: trial.params,
      distributions: Object.fromEntries(Object.entries(trial.distributions).map(([name, { json }]) => [name, json])),
      intermediateValues: trial.intermediateValues,
      userAttrs: trial.userAttrs,
      systemAttrs: trial.systemAttrs,
      start: trial.startedAt ?? null,
      complete: trial.completedAt ?? null,
    })),
  });
}

/** One form for what JSON does not tell apart: order of keys, 1 and 1.0. */
export function normal(value: JsonValue): JsonValue {
  return parseJson(canonicalJson(parseJson(stringifyJson(value))));
}

/** The objective of optuna_side.py. */
export async function objective(trial: Trial): Promise<number> {
  const x = trial.suggestFloat('x', -5, 5);
  const lr = trial.suggestFloat('lr', 1e-5, 1e-1, { log: true });
  const drop = trial.suggestFloat('drop', 0, 0.9, { step: 0.1 });
  const n = trial.suggestInt('n', 1, 9, { step: 2 });
  const width = trial.suggestInt('width', 1, 1024, { log: true });
  const kind = trial.suggestCategorical('kind', ['a', 1, 2.5, true, null]);
  for (let step = 0; step < 3; step++) await trial.report(x * x + 1 / (step + 1), step);
  trial.setUserAttr('by', 'resweep');
  if (n === 9) throw new TrialPruned();
  return x * x + lr + drop + n + (width > 500 ? 1 : 0) + (kind === 'a' ? 0 : 1);
}
