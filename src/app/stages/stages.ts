import { parseExpression } from '../../config/expression.js';
import { UsageError } from '../../core/errors.js';
import { selectionFile } from '../../core/study-paths.js';
import { benchmarkStudy } from '../../pipeline/benchmark/run-benchmark.js';
import { convertFinal } from '../../pipeline/convert/run-convert.js';
import { runStage, type StageName, type StageResult, type StageRun } from '../../pipeline/stage.js';

export { StageInterrupted, type StageName, type StageResult } from '../../pipeline/stage.js';
import { StageInputMissing, type StageStudy } from '../../pipeline/stage-study.js';
import { readSelection, selectBest, type Expressions, type Selection } from '../../pipeline/select/run-select.js';
import { trainFinal } from '../../pipeline/train/run-train.js';
import { trainingSpec, type TrainingSpec } from '../../pipeline/train/training-spec.js';
import type { SweepObserver } from '../sweep/sweep-observer.js';
import type { ConfigInput } from './config-input.js';
import { hpoStage } from './hpo-stage.js';
import { StageSession, type StageFunctionOptions } from './stage-session.js';

/*
 * The stages as functions. Each takes a configuration and, all of them optional, `backupToDrive`, `backupEnabled` and
 * `restoreFromDrive`; without callbacks the destinations of the configuration are used, if it has any. A stage that fails says so in
 * its result; only a wrong configuration, and an interruption, are thrown.
 */

/** Runs the sweep to its total, or goes on with it (one study for each backbone). */
export async function runLocalHpoSweep(
  config: ConfigInput,
  options: StageFunctionOptions & { readonly sweepObserver?: SweepObserver | undefined } = {},
): Promise<StageResult> {
  return withSession(config, options, (session) => hpo(session, options, options.sweepObserver ?? {}));
}

/** Measures the models of the best trials. */
export function runBenchmarkingLocal(config: ConfigInput, options: StageFunctionOptions = {}): Promise<StageResult> {
  return withSession(config, options, (session) => benchmark(session));
}

/** Chooses the best configuration, across all backbones where the configuration names several. */
export function selectBestConfiguration(config: ConfigInput, options: StageFunctionOptions = {}): Promise<StageResult> {
  return withSession(config, options, (session) => select(session));
}

/** Trains the chosen configuration. */
export function executeFinalTraining(config: ConfigInput, options: StageFunctionOptions = {}): Promise<StageResult> {
  return withSession(config, options, (session) => train(session));
}

/** Converts the trained model. */
export function executeConversion(config: ConfigInput, options: StageFunctionOptions = {}): Promise<StageResult> {
  return withSession(config, options, (session) => convert(session));
}

/** What a pipeline came to: the stages that ran, in order; one that failed is the last. */
export interface PipelineResult {
  readonly stages: readonly (StageResult & { readonly stage: StageName })[];
}

/** All stages after each other; one that fails ends the pipeline. */
export async function runPipeline(
  config: ConfigInput,
  options: StageFunctionOptions & {
    readonly sweepObserver?: SweepObserver | undefined;
    readonly onStage?: ((stage: StageName, result?: StageResult) => void) | undefined;
  } = {},
): Promise<PipelineResult> {
  return withSession(config, options, async (session) => {
    const stages: (StageResult & { stage: StageName })[] = [];
    const steps: readonly (readonly [StageName, () => Promise<StageResult>])[] = [
      ['hpo', () => hpo(session, options, options.sweepObserver ?? {})],
      ['benchmark', () => benchmark(session)],
      ['select', () => select(session)],
      ['train', () => train(session)],
      ['convert', () => convert(session)],
    ];
    for (const [stage, work] of steps) {
      options.onStage?.(stage);
      const result = await work();
      stages.push({ stage, ...result });
      options.onStage?.(stage, result);
      if (result.status === 'failed') break;
    }
    return { stages };
  });
}

async function withSession<T>(
  config: ConfigInput,
  options: StageFunctionOptions,
  work: (session: StageSession) => Promise<T>,
): Promise<T> {
  const session = await StageSession.open(config, options);
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

function hpo(session: StageSession, options: StageFunctionOptions, observer: SweepObserver): Promise<StageResult> {
  return runStage('hpo', session.stage('hpo'), async (run) => {
    for (const sweep of session.sweeps) {
      const done = await session.finishedStudy(sweep);
      if (done !== undefined && options.force !== true) run.kept(done);
      else await hpoStage(run, sweep, options, observer);
    }
  });
}

async function benchmark(session: StageSession): Promise<StageResult> {
  return runStage('benchmark', session.stage('benchmark'), async (run) => {
    for (const study of await session.studies()) await benchmarkStudy(run, study);
  });
}

const expressions: Expressions = {
  namesIn: (rule) => parseExpression(rule).names,
  holds: (rule, numbers) => {
    const result = parseExpression(rule).evaluate(new Map(Object.entries(numbers)));
    if (typeof result === 'boolean') return result;
    throw new UsageError(`select.constraints: "${rule}" gives a value, not true or false.`);
  },
};

function select(session: StageSession): Promise<StageResult> {
  return runStage('select', session.stage('select'), async (run) => {
    await selectBest(run, await session.studies(), expressions);
  });
}

function train(session: StageSession): Promise<StageResult> {
  return runStage('train', session.stage('train'), async (run) => {
    await trainFinal(run, await chosenSpec(run, session));
  });
}

function convert(session: StageSession): Promise<StageResult> {
  return runStage('convert', session.stage('convert'), async (run) => {
    await convertFinal(run, await chosenSpec(run, session));
  });
}

/** The final training that the selection asks for. @throws StageInputMissing where nothing was selected */
async function chosenSpec(run: StageRun, session: StageSession): Promise<TrainingSpec> {
  const studies = await session.studies();
  const found: { study: StageStudy; selection: Selection }[] = [];
  const places: string[] = [];
  for (const study of studies) {
    const path = selectionFile(study.place, study.study8);
    places.push(path);
    await run.isThere(path);
    const selection = readSelection(path);
    if (selection !== undefined) found.push({ study, selection });
  }
  const chosen = found.find(({ selection }) => selection.isBestOfAll);
  if (chosen !== undefined) return trainingSpec(chosen.study, chosen.selection);
  throw new StageInputMissing(
    'The selected configuration',
    [...places, 'the backups'],
    `resweep select ${session.name}`,
  );
}
