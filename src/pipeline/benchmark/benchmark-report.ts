import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { arch, cpus, platform, totalmem } from 'node:os';
import { join } from 'node:path';

import { hash8 } from '../../core/random.js';
import type { BenchmarkConfig } from '../../core/sweep-config.js';

export const BENCHMARK_FILE = 'benchmark.json';

/** Content of `benchmark.json`: one model on one machine. Times in milliseconds, sizes in bytes. */
export interface BenchmarkReport {
  readonly format: 1;
  readonly trial: number;
  /** Of the model's files and the settings: another model, or other settings, are measured again. */
  readonly inputs: string;
  readonly model: { readonly bytes: number; readonly parameters: number };
  readonly backend: string;
  readonly settings: { readonly batch_sizes: readonly number[]; readonly warmup: number; readonly repeats: number };
  /** Of one call with the first batch size. */
  readonly latency: { readonly p50: number; readonly p95: number; readonly p99: number; readonly mean: number };
  /** Calls before measuring: the first one, and all of them. */
  readonly warmup: { readonly first: number; readonly total: number };
  /** Rows per second, by batch size. */
  readonly throughput: Readonly<Record<string, number>>;
  /** Largest resident size of the measuring process, and what it was before the model was loaded. */
  readonly peak_memory: number;
  readonly base_memory: number;
  readonly machine: MachineDescription;
  readonly measured_at: string;
}

export interface MachineDescription {
  readonly platform: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memory: number;
  readonly node: string;
}

/** Names by which `select:` speaks of a benchmark, and which way each is better. */
export const BENCHMARK_NUMBERS = {
  latency_p50: 'minimize',
  latency_p95: 'minimize',
  latency_p99: 'minimize',
  latency_mean: 'minimize',
  throughput: 'maximize',
  peak_memory: 'minimize',
  model_size: 'minimize',
  parameters: 'minimize',
} as const;

/** The numbers of a report by those names; the throughput is the best of all batch sizes. */
export function numbersOf(report: BenchmarkReport): Record<keyof typeof BENCHMARK_NUMBERS, number> {
  const { p50, p95, p99, mean } = report.latency;
  return {
    latency_p50: p50,
    latency_p95: p95,
    latency_p99: p99,
    latency_mean: mean,
    throughput: Math.max(...Object.values(report.throughput)),
    peak_memory: report.peak_memory,
    model_size: report.model.bytes,
    parameters: report.model.parameters,
  };
}

/** Digest of a model's files and the benchmark's settings. */
export function benchmarkInputs(modelDir: string, settings: BenchmarkConfig): string {
  const hash = createHash('sha256');
  for (const name of ['model.json', 'weights.bin']) hash.update(readFileSync(join(modelDir, name)));
  const { batchSizes, warmup, repeats } = settings;
  return `${hash.digest('hex').slice(0, 16)}-${hash8(JSON.stringify([batchSizes, warmup, repeats]))}`;
}

/** The report in a trial's folder; undefined where there is none that can be read. */
export function readBenchmark(trialDir: string): BenchmarkReport | undefined {
  const path = join(trialDir, BENCHMARK_FILE);
  if (!existsSync(path)) return undefined;
  try {
    const report = JSON.parse(readFileSync(path, 'utf8')) as BenchmarkReport;
    return typeof report.latency.p50 === 'number' && typeof report.inputs === 'string' ? report : undefined;
  } catch {
    return undefined;
  }
}

/** Bytes of a model's files. */
export function modelBytes(modelDir: string): number {
  return ['model.json', 'weights.bin'].reduce((sum, name) => sum + statSync(join(modelDir, name)).size, 0);
}

export function describeMachine(): MachineDescription {
  const all = cpus();
  return {
    platform: `${platform()} ${arch()}`,
    cpu: all[0]?.model.trim() ?? 'unknown',
    cores: all.length,
    memory: totalmem(),
    node: process.versions.node,
  };
}

/** Whether a report was measured on a machine like this one. */
export function isThisMachine({ machine }: BenchmarkReport): boolean {
  const here = describeMachine();
  return machine.cpu === here.cpu && machine.cores === here.cores && machine.platform === here.platform;
}
