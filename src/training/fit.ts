import { setImmediate as nextTurn } from 'node:timers/promises';

import { ResweepError } from '../core/errors.js';
import type { JsonValue } from '../core/json.js';
import { createRandom, mixSeed } from '../core/random.js';
import type { StudyDirection } from '../core/study-direction.js';
import { writeCheckpoint, type Checkpoint } from './checkpoint.js';
import { newStoppingState, observeEpoch, type StoppingState } from './early-stopping.js';
import { learningRateAt, type LearningRateOptions } from './learning-rate.js';
import type { Network } from './network.js';
import type { Sums, Task } from './task.js';
import type { TrainingContext } from './trainer.js';

export interface FitOptions extends LearningRateOptions {
  readonly task: Task;
  readonly trainRows: Int32Array;
  /** Empty: judged by the training part alone. */
  readonly validationRows: Int32Array;
  readonly batchSize: number;
  /** Of the order of the rows. */
  readonly seed: number;
  /** What is reported after every epoch; absent: nothing. */
  readonly metric?: string | undefined;
  /** What decides which epoch is best, and when to stop. */
  readonly monitor: { readonly name: string; readonly goal: StudyDirection };
  readonly patience: number;
  readonly minDelta: number;
  /** Whether the best epoch's weights and values are kept, or the last one's. */
  readonly keepBest: boolean;
  /** Of what the training depends on: a checkpoint that was written for anything else is not gone on from. */
  readonly fingerprint: string;
  readonly backend: string;
  /** What every checkpoint carries along for whoever trains several models in one trial. */
  readonly carried?: Carried | undefined;
}

/** Plain data and arrays beside those of the training itself. */
export interface Carried {
  readonly state: JsonValue;
  readonly arrays: readonly Float32Array[];
}

export interface FitResult {
  readonly values: Readonly<Record<string, number>>;
  readonly epochs: number;
  readonly bestEpoch: number;
  readonly resumedFromEpoch?: number | undefined;
}

/** Everything beside the weights that a training is. Plain data. Random streams need no state: each depends on seed and position. */
export interface FitState {
  readonly fingerprint: string;
  readonly backend: string;
  /** Whole epochs done. */
  epoch: number;
  /** Batches done of the epoch that has begun, and what their rows add up to. */
  batch: number;
  sums: Sums;
  /** All optimiser steps. */
  steps: number;
  stopping: StoppingState;
  stopped: boolean;
  bestValues: Record<string, number>;
  lastValues: Record<string, number>;
  /** Reported values, by epoch. */
  reported: number[];
  readonly carried?: { readonly state: JsonValue; readonly arrays: number } | undefined;
}

/** Longest time without a turn of the event loop, so that messages and signals are seen within an epoch. */
const TURN_MS = 40;
/** Of the time of a training, what its checkpoints may take where epochs are short. */
const SAVE_SHARE = 0.02;
/** Time after which a checkpoint is due also within an epoch. */
const UNSAVED_MS = 60_000;

/** Reads the state of a checkpoint; undefined where it was written for other settings or data. */
export function fitStateOf(checkpoint: Checkpoint | undefined, fingerprint: string): FitState | undefined {
  const state = checkpoint?.state as unknown as FitState | undefined;
  return state?.fingerprint === fingerprint ? state : undefined;
}

/** What a checkpoint carries along. */
export function carriedBy(checkpoint: Checkpoint | undefined): Carried | undefined {
  const carried = (checkpoint?.state as unknown as FitState | undefined)?.carried;
  if (checkpoint === undefined || carried === undefined) return undefined;
  const { arrays } = checkpoint;
  return { state: carried.state, arrays: arrays.slice(arrays.length - carried.arrays) };
}

/**
 * Trains a network to its end, or on from a checkpoint: bit for bit as if it had never stopped, on the same backend. At its end the
 * network has the weights that are to be kept.
 * @throws what `context.report` throws, an `AbortError` after a checkpoint, ResweepError `DIVERGED` where no epoch gave a finite loss.
 */
export async function fit(
  network: Network,
  options: FitOptions,
  context: TrainingContext,
  checkpoint?: Checkpoint,
): Promise<FitResult> {
  const run = new FitRun(network, options, context, checkpoint);
  return run.toTheEnd();
}

class FitRun {
  readonly #network: Network;
  readonly #options: FitOptions;
  readonly #context: TrainingContext;
  readonly #state: FitState;
  readonly #resumedFrom: number | undefined;
  #bestWeights: readonly Float32Array[];
  #savedAt = performance.now();
  /** What the last checkpoint took; nothing before the first, so that one follows the first epoch. */
  #saveMs = 0;
  #savedSteps = 0;
  #turnAt = performance.now();

  constructor(network: Network, options: FitOptions, context: TrainingContext, checkpoint: Checkpoint | undefined) {
    this.#network = network;
    this.#options = options;
    this.#context = context;
    const saved = fitStateOf(checkpoint, options.fingerprint);
    this.#bestWeights = [];
    if (checkpoint === undefined || saved === undefined) {
      this.#state = {
        fingerprint: options.fingerprint,
        backend: options.backend,
        epoch: 0,
        batch: 0,
        sums: options.task.newSums(),
        steps: 0,
        stopping: newStoppingState(),
        stopped: false,
        bestValues: {},
        lastValues: {},
        reported: [],
        ...carriedState(options),
      };
      return;
    }
    this.#state = { ...structuredClone(saved), backend: options.backend, ...carriedState(options) };
    this.#resumedFrom = saved.epoch;
    this.#savedSteps = saved.steps;
    const { weights, slots } = network.state();
    const [first, second] = [weights.length, weights.length + slots.length];
    network.restore(checkpoint.arrays.slice(0, first), checkpoint.arrays.slice(first, second));
    this.#bestWeights = checkpoint.arrays.slice(second, checkpoint.arrays.length - (saved.carried?.arrays ?? 0));
  }

  async toTheEnd(): Promise<FitResult> {
    const { epochs, keepBest } = this.#options;
    const state = this.#state;
    if (this.#resumedFrom !== undefined)
      this.#context.log(`Going on from the checkpoint after epoch ${this.#resumedFrom}.`);
    for (const [index, value] of state.reported.entries())
      await this.#context.report(index + 1, value, { replayed: true });
    this.#savedAt = performance.now();
    while (!state.stopped && state.epoch < epochs) await this.#epoch();
    const { bestEpoch } = state.stopping;
    if (bestEpoch === 0) {
      throw new ResweepError(
        'DIVERGED',
        `The training diverged: ${this.#options.monitor.name} was never a finite number.`,
        {
          hint: 'A lower learning_rate usually helps.',
        },
      );
    }
    const kept = keepBest && this.#bestWeights.length > 0;
    if (kept) this.#network.restore(this.#bestWeights);
    return {
      values: kept ? state.bestValues : state.lastValues,
      epochs: state.epoch,
      bestEpoch: kept ? bestEpoch : state.epoch,
      resumedFromEpoch: this.#resumedFrom,
    };
  }

  async #epoch(): Promise<void> {
    const { task, trainRows, batchSize } = this.#options;
    const state = this.#state;
    const order = createRandom(mixSeed(this.#options.seed, 'order', state.epoch)).shuffle([...trainRows]);
    const rows = Int32Array.from(order);
    const batches = Math.ceil(rows.length / batchSize);
    while (state.batch < batches) {
      const start = state.batch * batchSize;
      const rate = learningRateAt(this.#options, state.steps / batches);
      this.#network.step(rows.subarray(start, start + batchSize), state.sums, state.steps + 1, rate);
      state.steps++;
      state.batch++;
      if (state.batch < batches) await this.#between();
    }
    const values = task.metricsOf(state.sums);
    state.epoch++;
    state.batch = 0;
    state.sums = task.newSums();
    await this.#finishEpoch(values);
  }

  async #finishEpoch(values: Record<string, number>): Promise<void> {
    const { task, validationRows, metric, monitor, patience, minDelta, epochs, keepBest } = this.#options;
    const state = this.#state;
    if (validationRows.length > 0) {
      const sums = task.newSums();
      this.#network.judge(validationRows, sums);
      for (const [name, value] of Object.entries(task.metricsOf(sums))) values[`val_${name}`] = value;
    }
    const monitored = values[monitor.name] ?? NaN;
    const diverged = !Number.isFinite(values['loss'] ?? NaN);
    const rule = { goal: monitor.goal, patience, minDelta };
    const { isBest, stop } = observeEpoch(state.stopping, rule, state.epoch, diverged ? NaN : monitored);
    state.lastValues = values;
    state.stopped = stop || diverged;
    if (isBest) {
      state.bestValues = values;
      if (keepBest) this.#bestWeights = this.#network.state().weights.map((array) => array.slice());
    }
    const reported = metric === undefined ? undefined : (values[metric] ?? NaN);
    if (reported !== undefined) state.reported.push(reported);
    this.#context.log(`epoch ${state.epoch}/${epochs} ${describeValues(values)}`);
    if (diverged) this.#context.log('The loss is no longer a finite number: the training ends here.');
    else if (stop) this.#context.log(`No better ${monitor.name} in ${patience} epochs: the training ends here.`);
    if (reported !== undefined) await this.#context.report(state.epoch, reported);
    await this.#between(true);
  }

  /** What is due between two batches or epochs: a checkpoint, and a turn of the event loop. */
  async #between(afterEpoch = false): Promise<void> {
    const { signal } = this.#context;
    const now = performance.now();
    if (this.#isSaveDue(now, afterEpoch)) this.#save();
    if (afterEpoch || now - this.#turnAt >= TURN_MS) {
      await nextTurn();
      this.#turnAt = performance.now();
    }
    if (!signal.aborted) return;
    if (this.#savedSteps < this.#state.steps) this.#save();
    const error = new Error(`Training was stopped after ${this.#state.epoch} epochs; its checkpoint is saved.`);
    error.name = 'AbortError';
    throw error;
  }

  #isSaveDue(now: number, afterEpoch: boolean): boolean {
    const { checkpointEveryMs } = this.#context;
    const since = now - this.#savedAt;
    // What comes after the last epoch (the model, its judgement) can be interrupted too.
    if (afterEpoch && (this.#state.stopped || this.#state.epoch === this.#options.epochs)) return true;
    if (checkpointEveryMs !== undefined) return since >= checkpointEveryMs;
    return since >= (afterEpoch ? Math.min(this.#saveMs / SAVE_SHARE, UNSAVED_MS) : UNSAVED_MS);
  }

  #save(): void {
    const start = performance.now();
    const { weights, slots } = this.#network.state();
    const { path, bytes } = writeCheckpoint(this.#context.checkpointDir, this.#state.steps, {
      state: this.#state as unknown as JsonValue,
      arrays: [...weights, ...slots, ...this.#bestWeights, ...(this.#options.carried?.arrays ?? [])],
    });
    this.#savedAt = performance.now();
    this.#saveMs = this.#savedAt - start;
    this.#savedSteps = this.#state.steps;
    this.#context.onCheckpoint({ path, step: this.#state.epoch, bytes, milliseconds: this.#saveMs });
  }
}

function carriedState({ carried }: FitOptions): Pick<FitState, 'carried'> {
  return carried === undefined ? {} : { carried: { state: carried.state, arrays: carried.arrays.length } };
}

function describeValues(values: Readonly<Record<string, number>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}=${Number(value.toPrecision(5))}`)
    .join(' ');
}
