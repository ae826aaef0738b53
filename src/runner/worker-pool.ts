import { builtEntry } from '../core/built-entry.js';
import type { TrialMonitor, TrialOutcome, TrialRunner, TrialTask } from './objective.js';
import { gpuEnvironment } from './gpus.js';
import { threadEnvironment } from './thread-environment.js';
import { Worker } from './worker.js';
import { typeScriptOptions } from './typescript-module.js';
import type { WorkerObjective } from './worker-protocol.js';

/** A worker that has grown beyond this, or run this many trials, is replaced after its trial. */
const RECYCLE_BYTES = 2e9;
const RECYCLE_TRIALS = 500;
/** Workers that may end before a trial has begun on them. */
const MAX_LOST_WORKERS = 3;

export interface WorkerPoolOptions {
  readonly jobs: number;
  readonly description: string;
  readonly objective: WorkerObjective;
  /** Threads of each worker. */
  readonly threads: number;
  /** Time that a stopped trial has for its checkpoint. @default 20 s */
  readonly stopGraceMs?: number;
}

/**
 * Training makes very many short-lived objects (one per tensor): twice Node's room for young ones takes 7 % off a trial's time, and
 * with it work from the collector's threads, which would take turns with other trials.
 */
const TRAINING_OPTIONS = ['--max-semi-space-size=32'];

/** Warm worker processes, one per job; each runs one trial at a time. A worker that dies fails its trial alone. */
export class WorkerPool implements TrialRunner {
  readonly description: string;
  readonly #options: WorkerPoolOptions;
  readonly #idle: { worker: Worker; slot: number }[] = [];
  readonly #busy = new Set<Worker>();
  readonly #freeSlots: number[];
  #isClosed = false;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    this.description = options.description;
    this.#freeSlots = Array.from({ length: options.jobs }, (_, i) => i);
    // The first trials need not wait for their processes.
    for (let i = 0; i < options.jobs; i++) {
      const slot = this.#freeSlots.shift();
      if (slot !== undefined) this.#idle.push({ worker: this.#start(slot), slot });
    }
  }

  #start(slot: number): Worker {
    const { objective, threads, stopGraceMs = 20_000 } = this.#options;
    return new Worker({
      entry: builtEntry('./worker-main.js', import.meta.url),
      objective,
      env: { ...threadEnvironment(threads), ...gpuEnvironment(slot) },
      execArgv: objective.type === 'module' ? typeScriptOptions(objective.path) : TRAINING_OPTIONS,
      stopGraceMs,
    });
  }

  async run(task: TrialTask, monitor: TrialMonitor, signal: AbortSignal): Promise<TrialOutcome> {
    for (let attempt = 1; ; attempt++) {
      const { worker, slot } = this.#take();
      this.#busy.add(worker);
      try {
        const { outcome, isUntouched } = await worker.run(task, monitor, signal);
        // A warm worker can end between two trials, by what an earlier one left running in it.
        const isLost = isUntouched && outcome.state === 'failed' && !this.#isClosed && attempt < MAX_LOST_WORKERS;
        if (!isLost) return outcome;
      } finally {
        this.#busy.delete(worker);
        await this.#giveBack(worker, slot);
      }
    }
  }

  #take(): { worker: Worker; slot: number } {
    for (let entry = this.#idle.shift(); entry !== undefined; entry = this.#idle.shift()) {
      if (!entry.worker.hasEnded) return entry;
      this.#freeSlots.push(entry.slot);
      void entry.worker.close();
    }
    const slot = this.#freeSlots.shift() ?? 0;
    return { worker: this.#start(slot), slot };
  }

  async #giveBack(worker: Worker, slot: number): Promise<void> {
    const isSpent = worker.trials >= RECYCLE_TRIALS || (!worker.hasEnded && worker.residentBytes > RECYCLE_BYTES);
    if (!worker.hasEnded && !isSpent && !this.#isClosed) {
      this.#idle.push({ worker, slot });
      return;
    }
    this.#freeSlots.push(slot);
    await worker.close();
  }

  /** Ends all workers; a trial that still runs is killed. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const workers = [...this.#busy, ...this.#idle.splice(0).map(({ worker }) => worker)];
    for (const worker of this.#busy) worker.kill();
    await Promise.all(workers.map((worker) => worker.close()));
  }
}
