import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { writeJsonAtomically } from '../../core/atomic-file.js';
import { messageOf } from '../../core/errors.js';
import type { FrozenTrial } from '../../core/frozen-trial.js';
import type { JsonValue } from '../../core/json.js';
import type { ModelMeasurement } from '../../training/measure-model.js';
import { StageInterrupted, type StageRun } from '../stage.js';
import { MODEL_FOLDER, rankedTrials, StageInputMissing, type StageStudy } from '../stage-study.js';
import {
  BENCHMARK_FILE,
  benchmarkInputs,
  describeMachine,
  isThisMachine,
  modelBytes,
  readBenchmark,
  type BenchmarkReport,
} from './benchmark-report.js';
import { measureApart } from './measure-apart.js';

/** Measures the models of a study's best trials, each in a process of its own; what is measured already is kept. */
export async function benchmarkStudy(run: StageRun, study: StageStudy): Promise<void> {
  const { objective, benchmark } = study.config;
  if (objective.type !== 'tfjs') {
    run.info(
      `models of ${objective.type} objectives are not measured: a program can write ${BENCHMARK_FILE} into its trial's folder itself.`,
    );
    return;
  }
  const best = rankedTrials(study).slice(0, benchmark.top);
  if (best.length === 0) throw new StageInputMissing('A complete trial', [study.studyDir], 'resweep run');
  const problems: string[] = [];
  for (const [index, trial] of best.entries()) {
    run.checkStopped();
    run.options.reporter.progress(index, best.length, `trial ${trial.number}`);
    try {
      await benchmarkTrial(run, study, trial);
    } catch (error) {
      run.checkStopped();
      if (error instanceof StageInterrupted) throw error;
      problems.push(`trial ${trial.number}: ${messageOf(error)}`);
      run.warn(`trial ${trial.number} is left out: ${messageOf(error)}`);
    }
  }
  run.options.reporter.progress(best.length, best.length, 'all measured');
  if (problems.length === best.length) throw new Error(`No model could be measured (${problems.join('; ')}).`);
}

async function benchmarkTrial(run: StageRun, study: StageStudy, trial: FrozenTrial): Promise<void> {
  const { benchmark } = study.config;
  const trialDir = study.trialDirOf(trial);
  const path = join(trialDir, BENCHMARK_FILE);
  const modelDir = join(trialDir, MODEL_FOLDER);
  const isMeasured = await run.isThere(path);
  const known = isMeasured && !run.options.force ? readBenchmark(trialDir) : undefined;
  // Without the model at hand, a report that is there is taken as it is.
  if (known !== undefined && (!existsSync(modelDir) || known.inputs === benchmarkInputs(modelDir, benchmark))) {
    run.kept(path);
    const where = isThisMachine(known)
      ? ''
      : ` on another machine (${known.machine.cpu}, ${known.machine.cores} cores)`;
    run.info(`trial ${trial.number} is measured already${where}: p50 ${known.latency.p50} ms.`);
    return;
  }
  if (!(await run.isThere(modelDir, true)) && !(await run.isThere(trialDir, true))) {
    throw new StageInputMissing(`The model of trial ${trial.number}`, [modelDir, 'the backups'], 'resweep run');
  }
  if (!existsSync(modelDir)) throw new Error(`it has no model (${modelDir})`);
  const backend = backendOf(study, trial);
  const measurement = await measureApart(
    {
      modelDir,
      backend,
      batchSizes: benchmark.batchSizes,
      warmup: benchmark.warmup,
      repeats: benchmark.repeats,
    },
    run.options.signal,
  );
  const report = reportOf(study, trial, modelDir, measurement);
  writeJsonAtomically(path, report as unknown as JsonValue);
  run.made(path);
  run.info(
    `trial ${trial.number}: p50 ${report.latency.p50} ms, p95 ${report.latency.p95} ms, ${report.model.parameters} parameters.`,
  );
  await run.save(path);
}

/** What the trial was trained on; `auto` where that is unknown means WebAssembly, which is everywhere. */
function backendOf({ config }: StageStudy, trial: FrozenTrial): 'node' | 'wasm' | 'cpu' {
  const used = config.backend === 'auto' ? trial.userAttrs['backend'] : config.backend;
  return used === 'node' || used === 'cpu' ? used : 'wasm';
}

function reportOf(
  { config }: StageStudy,
  trial: FrozenTrial,
  modelDir: string,
  measurement: ModelMeasurement,
): BenchmarkReport {
  const { batchSizes, warmup, repeats } = config.benchmark;
  const first = measurement.calls[String(batchSizes[0] ?? 1)] ?? [];
  return {
    format: 1,
    trial: trial.number,
    inputs: benchmarkInputs(modelDir, config.benchmark),
    model: { bytes: modelBytes(modelDir), parameters: measurement.parameters },
    backend: measurement.backend,
    settings: { batch_sizes: batchSizes, warmup, repeats },
    latency: {
      p50: percentile(first, 0.5),
      p95: percentile(first, 0.95),
      p99: percentile(first, 0.99),
      mean: rounded(first.reduce((sum, value) => sum + value, 0) / Math.max(1, first.length)),
    },
    warmup: {
      first: rounded(measurement.warmup[0] ?? 0),
      total: rounded(measurement.warmup.reduce((sum, value) => sum + value, 0)),
    },
    throughput: Object.fromEntries(
      Object.entries(measurement.calls).map(([size, calls]) => [
        size,
        rounded((Number(size) * calls.length * 1000) / calls.reduce((sum, value) => sum + value, 0)),
      ]),
    ),
    peak_memory: measurement.peakMemory,
    base_memory: measurement.baseMemory,
    machine: describeMachine(),
    measured_at: new Date().toISOString(),
  };
}

/** Nearest rank: the smallest value that is not below this share of all. */
function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return rounded(sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN);
}

function rounded(value: number): number {
  return Number(value.toPrecision(5));
}
