import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

import { writeJsonAtomically } from '../../core/atomic-file.js';
import { ResweepError } from '../../core/errors.js';
import type { JsonValue } from '../../core/json.js';
import { isBetter } from '../../core/study-direction.js';
import { createRunner } from '../../runner/create-runner.js';
import type { TrialOutcome, TrialRunner, TrialTask } from '../../runner/objective.js';
import { StageInterrupted, type StageRun } from '../stage.js';
import { MODEL_FOLDER } from '../stage-study.js';
import { FolderBackup } from './folder-backup.js';
import { METRICS_FILE, TRAINING_FILE, type TrainingRun, type TrainingSpec } from './training-spec.js';

type Values = Readonly<Record<string, JsonValue>>;

/** What one seed came to. */
interface SeedResult {
  readonly seed: number;
  readonly values: Values;
  readonly seconds: number;
  /** First metric by epoch. */
  readonly curve: readonly (readonly [step: number, value: number])[];
}

/**
 * Trains the chosen configuration: all its seeds, each from its last checkpoint where it was cut off. Complete once `metrics.json` is
 * there, which is written last.
 */
export async function trainFinal(run: StageRun, spec: TrainingSpec): Promise<void> {
  const metricsPath = join(spec.folder, METRICS_FILE);
  if (run.options.force) rmSync(spec.folder, { recursive: true, force: true });
  else if (await isComplete(run, spec)) {
    run.kept(spec.folder);
    return;
  }
  mkdirSync(spec.folder, { recursive: true });
  const backup = new FolderBackup(run, spec.folder, spec.study.config.checkpoint.every);
  const runner = runnerOf(spec);
  const results: SeedResult[] = [];
  try {
    for (const training of spec.runs) {
      run.checkStopped();
      results.push(readSeed(training) ?? (await trainSeed(run, spec, training, runner, backup)));
    }
  } catch (error) {
    if (error instanceof StageInterrupted) await backup.finish();
    throw error;
  } finally {
    await runner.close();
  }
  finish(spec, results);
  run.made(spec.folder);
  run.info(`${JSON.stringify(meansOf(results))} in ${metricsPath}.`);
  await backup.finish();
}

/** Local first; a folder of which the checkpoint is missing is brought back whole. */
async function isComplete(run: StageRun, spec: TrainingSpec): Promise<boolean> {
  const { folder } = spec;
  const hasCheckpoint = existsSync(join(folder, 'checkpoint'));
  if (!existsSync(join(folder, METRICS_FILE)) && !hasCheckpoint) {
    const { backup } = run.options;
    if (!existsSync(folder)) await run.isThere(folder, true);
    else await backup.restoreFromDrive?.(folder, true).catch(() => false);
  }
  return existsSync(join(folder, METRICS_FILE)) && (isElsewhere(spec) || existsSync(join(folder, MODEL_FOLDER)));
}

/** A program of the user's keeps its model where it likes. */
function isElsewhere({ study }: TrainingSpec): boolean {
  return study.config.objective.type !== 'tfjs';
}

function runnerOf({ study, folder }: TrainingSpec): TrialRunner {
  const { config, study8 } = study;
  return createRunner(config, {
    jobs: 1,
    projectRoot: study.place.projectRoot,
    resolvePath: (path) => study.resolvePath(path),
    study8,
    studyDir: existsSync(study.studyDir) ? study.studyDir : folder,
    final: { fitOn: config.final.data, judgeTest: testShareOf(study.config.objective) > 0 },
  });
}

function testShareOf(objective: TrainingSpec['study']['config']['objective']): number {
  return objective.type === 'tfjs' ? objective.data.test : 0;
}

async function trainSeed(
  run: StageRun,
  spec: TrainingSpec,
  training: TrainingRun,
  runner: TrialRunner,
  backup: FolderBackup,
): Promise<SeedResult> {
  const { config } = spec.study;
  const name = config.metrics[0]?.name ?? 'value';
  mkdirSync(training.checkpointDir, { recursive: true });
  writeJsonAtomically(join(training.folder, 'params.json'), { ...spec.params });
  const curve = new Map<number, number>();
  const epochs = spec.params['epochs'];
  const total = typeof epochs === 'number' ? epochs : 0;
  const startedAt = performance.now();
  const outcome = await runner.run(
    taskOf(spec, training),
    {
      report: (step, value) => {
        curve.set(step, value);
        const seed = spec.runs.length === 1 ? '' : `seed ${training.index + 1}/${spec.runs.length}, `;
        run.options.reporter.progress(step, total, `${seed}${name} ${Number(value.toPrecision(4))}`);
        return Promise.resolve('continue' as const);
      },
      checkpoint: ({ path, step, bytes, milliseconds }) => {
        run.options.reporter.event('checkpoint', {
          stage: 'train',
          path,
          step,
          bytes,
          milliseconds: Math.round(milliseconds),
        });
        run.info(`Checkpoint saved: step ${step}, ${path}, ${bytes} bytes, ${Math.round(milliseconds)} ms`);
        backup.changed();
      },
      log: (line) => {
        run.info(line);
      },
    },
    run.options.signal,
  );
  const result: SeedResult = {
    seed: training.seed,
    values: valuesOf(outcome),
    seconds: Math.round(performance.now() - startedAt) / 1000,
    curve: [...curve].sort(([a], [b]) => a - b),
  };
  writeJsonAtomically(seedFile(training), result as unknown as JsonValue);
  return result;
}

/** @throws StageInterrupted, or ResweepError with why the training failed */
function valuesOf(outcome: TrialOutcome): Values {
  switch (outcome.state) {
    case 'complete':
      return outcome.metrics;
    case 'interrupted':
      throw new StageInterrupted();
    case 'pruned':
      throw new ResweepError('TRAINING_PRUNED', 'The training pruned itself: a final training is to run to its end.');
    case 'failed': {
      const { message, lastLines } = outcome.failure;
      throw new ResweepError('TRAINING_FAILED', `The training failed: ${message}`, {
        hint: lastLines.length === 0 ? '' : `Its last lines: ${lastLines.slice(-5).join(' | ')}`,
      });
    }
  }
}

function taskOf(spec: TrainingSpec, training: TrainingRun): TrialTask {
  const { config } = spec.study;
  return {
    trialId: spec.trial,
    number: spec.trial,
    logicalIndex: training.index,
    attempt: 0,
    studyName: config.study,
    params: spec.params,
    trialDir: training.folder,
    checkpointDir: training.checkpointDir,
    seed: training.seed,
    // A trainer gives all that it can; without a validation part that is not what the trials were judged by.
    metrics:
      config.objective.type === 'tfjs' ? [] : config.metrics.map(({ name, goal }) => ({ name, direction: goal })),
    threads: availableParallelism(),
    backend: config.backend,
    memoryBytes: config.limits.memory,
    idleMs: config.limits.idleOutput,
    checkpointEveryMs: Math.min(config.checkpoint.every, 60_000),
  };
}

const seedFile = (training: TrainingRun): string => join(training.folder, `result-${training.index}.json`);

/** What a seed came to before the training was cut off. */
function readSeed(training: TrainingRun): SeedResult | undefined {
  try {
    return JSON.parse(readFileSync(seedFile(training), 'utf8')) as SeedResult;
  } catch {
    return undefined;
  }
}

function finish(spec: TrainingSpec, results: readonly SeedResult[]): void {
  const { config, study8 } = spec.study;
  const kept = keptSeed(spec, results);
  const keptRun = spec.runs[kept];
  if (spec.runs.length > 1 && keptRun !== undefined && existsSync(join(keptRun.folder, MODEL_FOLDER)))
    copyFolder(join(keptRun.folder, MODEL_FOLDER), join(spec.folder, MODEL_FOLDER));
  writeJsonAtomically(join(spec.folder, TRAINING_FILE), {
    format: 1,
    study8,
    spec8: spec.spec8,
    backbone: config.backbone,
    trial: spec.trial,
    params: { ...spec.params },
    final: { ...config.final, epochs: config.final.epochs ?? null },
    kept_seed: kept,
    seeds: results.map(({ seed, seconds, curve }) => ({ seed, seconds, curve: curve.map((point) => [...point]) })),
    trained_at: new Date().toISOString(),
  });
  writeJsonAtomically(join(spec.folder, METRICS_FILE), {
    ...meansOf(results),
    ...(results.length === 1
      ? {}
      : { standard_deviations: deviationsOf(results), seeds: results.map(({ values }) => ({ ...values })) }),
  });
}

/** The best seed by the first metric, where it is of the validation part; else the first: the test part must not choose. */
function keptSeed({ study }: TrainingSpec, results: readonly SeedResult[]): number {
  const [metric] = study.config.metrics;
  if (metric === undefined || study.config.final.data !== 'train') return 0;
  let best = 0;
  results.forEach(({ values }, index) => {
    const [value, sofar] = [values[metric.name], results[best]?.values[metric.name]];
    if (typeof value === 'number' && typeof sofar === 'number' && isBetter(metric.goal, value, sofar)) best = index;
  });
  return best;
}

/** Numbers by name, the mean over the seeds; words and the like as the first seed has them. */
function meansOf(results: readonly SeedResult[]): Record<string, JsonValue> {
  const [first] = results;
  return Object.fromEntries(
    Object.entries(first?.values ?? {}).map(([name, value]) => {
      const numbers = numbersOf(results, name);
      if (typeof value !== 'number' || numbers.length !== results.length) return [name, value];
      return [name, results.length === 1 ? value : mean(numbers)];
    }),
  );
}

function deviationsOf(results: readonly SeedResult[]): Record<string, number> {
  const names = Object.keys(results[0]?.values ?? {});
  return Object.fromEntries(
    names.flatMap((name) => {
      const numbers = numbersOf(results, name);
      if (numbers.length < 2) return [];
      const center = mean(numbers);
      return [[name, Math.sqrt(numbers.reduce((sum, x) => sum + (x - center) ** 2, 0) / (numbers.length - 1))]];
    }),
  );
}

const mean = (numbers: readonly number[]): number => numbers.reduce((sum, x) => sum + x, 0) / numbers.length;

function numbersOf(results: readonly SeedResult[], name: string): number[] {
  return results.flatMap(({ values }) => (typeof values[name] === 'number' ? [values[name]] : []));
}

/** Whole where it exists: copied aside, then renamed. */
function copyFolder(from: string, to: string): void {
  const aside = `${to}.${process.pid}.tmp`;
  rmSync(aside, { recursive: true, force: true });
  cpSync(from, aside, { recursive: true });
  rmSync(to, { recursive: true, force: true });
  renameSync(aside, to);
}
