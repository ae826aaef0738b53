import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterEach } from 'vitest';

import type { ParamValue } from '../../src/core/distributions.js';
import type { DataConfig } from '../../src/core/sweep-config.js';
import type { CheckpointInfo, TrainingContext, TrainingRequest } from '../../src/training/trainer.js';

const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A folder that is removed after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'resweep-training-'));
  folders.push(folder);
  return folder;
}

export function dataFile(name: string): string {
  return fileURLToPath(new URL(`../../data/${name}`, import.meta.url));
}

export function dataOf(path: string, more: Partial<DataConfig> = {}): DataConfig {
  return {
    path,
    target: 'last',
    test: 0.2,
    validation: 0.2,
    skipRows: 0,
    delimiter: ',',
    ignore: [],
    seed: 0,
    options: {},
    ...more,
  };
}

export function digitsRequest(more: Partial<TrainingRequest> = {}): TrainingRequest {
  return {
    trainer: 'mlp-classifier',
    settings: {},
    data: dataOf(dataFile('digits.csv.gz'), { options: { scale: 'minmax' } }),
    backend: 'wasm',
    metrics: [{ name: 'val_accuracy', goal: 'maximize' }],
    ...more,
  };
}

/** A context that records what it is told. */
export class RecordingContext implements TrainingContext {
  readonly params: Readonly<Record<string, ParamValue>>;
  readonly seed: number = 7;
  readonly trialDir: string;
  readonly controller = new AbortController();
  readonly signal = this.controller.signal;
  readonly checkpointEveryMs: number | undefined;
  readonly backendChoices: string | undefined;
  readonly reports: { step: number; value: number; replayed: boolean }[] = [];
  readonly lines: string[] = [];
  readonly checkpoints: CheckpointInfo[] = [];
  /** Called at each checkpoint, with how many there have been. */
  onCheckpointHook: (count: number) => void = () => {};
  /** Called at each report that is new; may throw. */
  onReport: (step: number, value: number) => void = () => {};

  constructor(
    params: Readonly<Record<string, ParamValue>>,
    options: { trialDir?: string; checkpointEveryMs?: number; backendChoices?: string } = {},
  ) {
    this.params = params;
    this.trialDir = options.trialDir ?? temporaryFolder();
    this.checkpointEveryMs = options.checkpointEveryMs;
    this.backendChoices = options.backendChoices;
  }

  get checkpointDir(): string {
    return join(this.trialDir, 'checkpoint');
  }

  async report(step: number, value: number, options: { replayed?: boolean } = {}): Promise<void> {
    this.reports.push({ step, value, replayed: options.replayed ?? false });
    if (options.replayed !== true) this.onReport(step, value);
  }

  log(line: string): void {
    this.lines.push(line);
  }

  onCheckpoint(checkpoint: CheckpointInfo): void {
    this.checkpoints.push(checkpoint);
    this.onCheckpointHook(this.checkpoints.length);
  }
}
