import { resolve } from 'node:path';

import { TRIAL_ATTRIBUTE, type FrozenTrial } from '../../core/frozen-trial.js';
import type { TrackConfig } from '../../core/sweep-config.js';
import { retryHistoryOf } from '../../study/retry.js';
import type { Study } from '../../study/study.js';
import { MlflowTracker } from '../../tracking/mlflow-tracker.js';
import type { TrackedReport, TrackedState, TrackedTrial, Tracker } from '../../tracking/tracker.js';
import { TrackerQueue } from '../../tracking/tracker-queue.js';
import type { SweepObserver, SweepStart } from './sweep-observer.js';
import type { TrackingSummary } from './sweep-summary.js';

/** How long the end of a sweep waits for a tracker. */
const CLOSE_BOUND_MS = 30_000;

export interface TrackingOptions {
  readonly track: TrackConfig;
  readonly projectRoot: string;
  /** Another process began the sweep: it writes the trials that were there before. */
  readonly joined: boolean;
  readonly redact: (text: string) => string;
}

/** Tells experiment trackers of a sweep, beside it: never waited for before the end, never a reason to fail. */
export class SweepTracking {
  /** Passes everything on to the observer it was given. */
  readonly observer: SweepObserver;
  readonly #options: TrackingOptions;
  readonly #inner: SweepObserver;
  readonly #reports = new Map<number, TrackedReport[]>();
  /** Numbers of the trials that this process ran. */
  readonly #own = new Set<number>();
  #queues: TrackerQueue[] = [];
  #study: Study | undefined;
  #starting: Promise<void> | undefined;

  constructor(inner: SweepObserver, options: TrackingOptions) {
    this.#options = options;
    this.#inner = inner;
    const { tensorboard, mlflow } = options.track;
    this.observer = tensorboard === undefined && mlflow === undefined ? inner : this.#observing();
  }

  /** Writes what is left within a bound. Harmless where it was called before. */
  async close(isComplete: boolean): Promise<readonly TrackingSummary[]> {
    await this.#starting;
    const queues = this.#queues;
    this.#queues = [];
    await Promise.all(queues.map((queue) => queue.close(isComplete, CLOSE_BOUND_MS)));
    return queues.map((queue) => {
      const { error, ...state } = queue.state;
      return { ...state, error: error === undefined ? null : this.#options.redact(error) };
    });
  }

  #observing(): SweepObserver {
    const inner = this.#inner;
    return {
      ...inner,
      started: (start) => {
        this.#starting = this.#start(start);
        inner.started?.(start);
      },
      trialStarted: (trial, info) => {
        this.#own.add(trial.number);
        this.#reports.set(trial.number, []);
        this.#push(trial);
        inner.trialStarted?.(trial, info);
      },
      reported: (trial, step, value) => {
        const reports = this.#reports.get(trial.number) ?? [];
        if (reports.length === 0) reports.push(...this.#replayed(trial, step));
        reports.push({ step, value, at: Date.now() });
        this.#push(trial);
        inner.reported?.(trial, step, value);
      },
      trialEnded: (trial, info) => {
        this.#push(trial);
        this.#reports.delete(trial.number);
        inner.trialEnded?.(trial, info);
      },
    };
  }

  /** A retry has the reports of its earlier run up to the checkpoint that it goes on from. */
  #replayed(trial: FrozenTrial, firstStep: number): TrackedReport[] {
    const previous = retryHistoryOf(trial).at(-1);
    const earlier = previous === undefined ? undefined : this.#study?.history.all[previous];
    return earlier === undefined ? [] : reportsOf(earlier, Date.now()).filter(({ step }) => step < firstStep);
  }

  async #start({ study, study8, config }: SweepStart): Promise<void> {
    this.#study = study;
    const trackers = await this.#trackers();
    const space = study.declaredSpace?.parameters ?? [];
    const { all, finished, unfinished } = study.history;
    const startedAt = all[0]?.datetimeStart?.getTime() ?? Date.now();
    const trials = [
      ...finished.filter(({ number }) => !this.#options.joined || this.#own.has(number)),
      ...unfinished.filter(({ number }) => this.#own.has(number)),
    ].map((trial) => this.#tracked(trial, study));
    this.#queues = trackers.map((tracker) => {
      const queue = new TrackerQueue(tracker, {
        onError: (message) => {
          const text = `${tracker.name}: ${this.#options.redact(message)} The sweep goes on; this is tried again.`;
          this.#inner.message?.('warn', text.replace(/([^.])( The sweep)/, '$1.$2'));
        },
      });
      queue.start(
        {
          name: config.study,
          study8,
          startedAt,
          metrics: config.metrics.map(({ name, goal }) => ({ name, direction: goal })),
          space: Object.fromEntries(space.map(({ name, distribution }) => [name, distribution])),
        },
        trials,
      );
      return queue;
    });
  }

  async #trackers(): Promise<Tracker[]> {
    const { track, projectRoot } = this.#options;
    const trackers: Tracker[] = [];
    if (track.tensorboard !== undefined) {
      // The messages of event files are made when they are first needed.
      const { TensorBoardTracker } = await import('../../tracking/tensorboard-tracker.js');
      trackers.push(new TensorBoardTracker(resolve(projectRoot, track.tensorboard.dir)));
    }
    if (track.mlflow !== undefined) trackers.push(new MlflowTracker(track.mlflow.url, track.mlflow.experiment));
    return trackers;
  }

  #push(trial: FrozenTrial): void {
    if (this.#study === undefined || this.#queues.length === 0) return;
    const tracked = this.#tracked(trial, this.#study);
    for (const queue of this.#queues) queue.push(tracked);
  }

  #tracked(trial: FrozenTrial, study: Study): TrackedTrial {
    const live = this.#reports.get(trial.number);
    const startedAt = trial.datetimeStart?.getTime() ?? Date.now();
    const completedAt = trial.datetimeComplete?.getTime();
    const names = study.metricNames ?? [];
    const values = Object.fromEntries((trial.values ?? []).map((value, i) => [names[i] ?? `value_${i}`, value]));
    const numbers: Record<string, number> = {};
    const words: Record<string, string> = {};
    for (const [name, value] of Object.entries(trial.userAttrs)) {
      if (typeof value === 'number') numbers[name] = value;
      else if (typeof value === 'string' || typeof value === 'boolean') words[name] = String(value);
    }
    const params = { ...study.declaredSpace?.constants, ...trial.params };
    return {
      number: trial.number,
      state: stateOf(trial),
      params,
      startedAt,
      completedAt,
      reports: live === undefined ? reportsOf(trial, completedAt ?? startedAt) : [...live],
      values,
      numbers,
      words,
      reason: reasonOf(trial),
    };
  }
}

/** Reports that the study holds, in the order of their steps; it knows no times of them. */
function reportsOf(trial: FrozenTrial, at: number): TrackedReport[] {
  return Object.entries(trial.intermediateValues)
    .map(([step, value]) => ({ step: Number(step), value, at }))
    .sort((a, b) => a.step - b.step);
}

function stateOf(trial: FrozenTrial): TrackedState {
  if (trial.isInterrupted) return 'interrupted';
  switch (trial.state) {
    case 'COMPLETE':
      return 'complete';
    case 'PRUNED':
      return 'pruned';
    case 'FAIL':
      return 'failed';
    default:
      return 'running';
  }
}

function reasonOf(trial: FrozenTrial): string | undefined {
  const failure = trial.systemAttr(TRIAL_ATTRIBUTE.failure) ?? trial.systemAttr(TRIAL_ATTRIBUTE.interrupted);
  if (failure === undefined || failure === null || typeof failure !== 'object' || Array.isArray(failure))
    return undefined;
  const { message, reason } = failure as { message?: unknown; reason?: unknown };
  return typeof message === 'string' ? message : typeof reason === 'string' ? reason : undefined;
}
