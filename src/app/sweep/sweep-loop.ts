import { join } from 'node:path';

import { messageOf } from '../../core/errors.js';
import type { FrozenTrial } from '../../core/frozen-trial.js';
import type { JsonValue } from '../../core/json.js';
import { after } from '../../core/long-timers.js';
import { mixSeed } from '../../core/random.js';
import type { SweepConfig } from '../../core/sweep-config.js';
import type { TrialMonitor, TrialOutcome, TrialRunner, TrialTask } from '../../runner/objective.js';
import { retryHistoryOf } from '../../study/retry.js';
import type { Study } from '../../study/study.js';
import type { Trial } from '../../study/trial.js';
import { BackgroundFiles } from '../trials/background-files.js';
import type { EventsLog } from './events-log.js';
import type { SweepLimits } from './sweep-limits.js';
import type { SweepObserver } from './sweep-observer.js';
import type { TrialCheckpoints } from '../trials/trial-checkpoints.js';
import type { TrialFolders } from '../trials/trial-folders.js';

/** Shortest time between two readings of others' trials for their own sake. */
const READ_EVERY_MS = 2_000;

/** What the loop works with. */
export interface SweepLoopParts {
  readonly study: Study;
  readonly config: SweepConfig;
  readonly total: number;
  readonly jobs: number;
  readonly threads: number;
  readonly runner: TrialRunner;
  readonly folders: TrialFolders;
  readonly events: EventsLog;
  readonly limits: SweepLimits;
  readonly observer: SweepObserver;
  /** Given where several processes may work on the study. */
  readonly others?: OtherWorkers | undefined;
  /** Given where trials may move between machines. */
  readonly checkpoints?: TrialCheckpoints | undefined;
  /** Called after each trial is stored; must neither throw nor wait for a destination. */
  readonly afterTrial: (trial: FrozenTrial) => void;
  /** Called when a running trial has a new checkpoint. */
  readonly afterCheckpoint: (trialDir: string) => void;
}

/** Those who work on the same study elsewhere. */
export interface OtherWorkers {
  /** Whether a running trial has anybody who may finish or lose it. */
  areAtWork(): Promise<boolean>;
}

/** Why a loop ended. */
export interface LoopEnd {
  readonly reason: string;
  /** A signal or the end of the session cut it short. */
  readonly interrupted: boolean;
  /** What broke the engine itself (never a trial's own failure). */
  readonly error?: unknown;
}

/** Runs trials on workers until the total, a limit or a signal ends it. */
export class SweepLoop {
  readonly #parts: SweepLoopParts;
  readonly #stopTrials = new AbortController();
  readonly #files: BackgroundFiles;
  #stopReason: string | undefined;
  #total: number;
  #error: { readonly error: unknown } | undefined;
  #readNextAt = 0;

  constructor(parts: SweepLoopParts) {
    this.#parts = parts;
    this.#total = parts.total;
    // The results themselves are in the study; a full disk must not end the sweep here.
    this.#files = new BackgroundFiles((path, error) => {
      parts.observer.message?.('warn', `${path} could not be written: ${messageOf(error)}`);
    });
  }

  /** Runs `jobs` trials at a time. An abort lets running trials save a checkpoint and queues them again. */
  async run(signal: AbortSignal): Promise<LoopEnd> {
    const onAbort = (): void => {
      this.#stop('stopped by signal');
      this.#stopTrials.abort();
    };
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    const stopSessionTimer = this.#startSessionTimer();
    try {
      await Promise.all(Array.from({ length: this.#parts.jobs }, () => this.#job()));
    } finally {
      await this.#files.settled();
      stopSessionTimer();
      signal.removeEventListener('abort', onAbort);
    }
    const reason = this.#stopReason ?? 'all trials are done';
    return { reason, interrupted: this.#stopTrials.signal.aborted, ...this.#error };
  }

  /** Ends the loop after the trials now running, or, where `now`, interrupts those too: they are queued again. */
  stop(reason: string, now = false): void {
    this.#stop(reason);
    if (now) this.#stopTrials.abort();
  }

  /** Another total from now on. */
  setTotal(total: number): void {
    this.#total = total;
  }

  #stop(reason: string): void {
    if (this.#stopReason !== undefined) return;
    this.#stopReason = reason;
    this.#parts.observer.stopping?.(reason);
  }

  #startSessionTimer(): () => void {
    return after(this.#parts.limits.millisecondsToSessionEnd, () => {
      this.#stop('the session is near its end (limits.session)');
      this.#stopTrials.abort();
    });
  }

  async #job(): Promise<void> {
    const { study, limits } = this.#parts;
    let idle = 0;
    try {
      for (;;) {
        await this.#keepUp();
        const reason = limits.reasonToStop(study);
        if (reason !== undefined) this.#stop(reason);
        if (this.#stopReason === undefined && (await study.isExhausted())) {
          this.#stop('every point of the search space has been tried');
        }
        if (this.#stopReason !== undefined || study.isStopped) return;
        const trial = await study.askDeclared({ total: this.#total });
        if (trial !== undefined) {
          idle = 0;
          await this.#runTrial(trial);
        } else if (this.#parts.others === undefined || !(await this.#mayComeBack(this.#parts.others, idle++))) return;
      }
    } catch (error) {
      // Only the engine itself ends up here: a storage that failed for good, a space without a feasible point.
      this.#error ??= { error };
      this.#stop(messageOf(error));
      this.#stopTrials.abort();
    }
  }

  /** Others' trials count for limits and progress, also where sampling does not read them: that costs a fiftieth of the time at most. */
  async #keepUp(): Promise<void> {
    const startedAt = performance.now();
    if (startedAt < this.#readNextAt) return;
    this.#readNextAt = Infinity;
    try {
      await this.#parts.study.sync();
    } finally {
      const now = performance.now();
      this.#readNextAt = now + Math.max(READ_EVERY_MS, 50 * (now - startedAt));
    }
  }

  /**
   * The study has its number of trials, but others still run some of them: waits, since a trial comes back where its process is
   * lost. False once all are finished, or nobody is left who could finish them.
   */
  async #mayComeBack(others: OtherWorkers, times: number): Promise<boolean> {
    const { study } = this.#parts;
    if (study.history.unfinished.length === 0 || !(await others.areAtWork())) return false;
    await new Promise((resolve) => setTimeout(resolve, Math.min(1_500, 500 * 1.2 ** times) * (1 + Math.random())));
    return true;
  }

  async #runTrial(trial: Trial): Promise<void> {
    const { study, config, folders, events, observer, runner } = this.#parts;
    const params = { ...study.declaredSpace?.constants, ...trial.params };
    const folder = folders.open(trial.frozen, trial.logicalIndex, trial.params);
    const paramsWritten = this.#files.writeJson(join(folder.trialDir, 'params.json'), params);
    if (config.objective.type === 'command') await paramsWritten;
    const retries = retryHistoryOf(trial.frozen);
    if (retries.length > 0 && (await this.#parts.checkpoints?.restore(folder.checkpointDir)) === true)
      events.append({ event: 'checkpoint-restored', trial: trial.number, path: folder.checkpointDir });
    const startedAt = performance.now();
    events.append({
      event: retries.length > 0 ? 'trial-retried' : 'trial-started',
      trial: trial.number,
      params,
      ...(retries.length > 0 ? { retry_of: [...retries] } : {}),
    });
    observer.trialStarted?.(trial.frozen, { resumed: retries.length > 0 });
    const task: TrialTask = {
      trialId: trial.trialId,
      number: trial.number,
      logicalIndex: trial.logicalIndex,
      attempt: retries.length,
      studyName: study.studyName,
      params,
      trialDir: folder.trialDir,
      checkpointDir: folder.checkpointDir,
      seed: mixSeed(study.seed, trial.logicalIndex, 'training') >>> 0,
      metrics: config.metrics.map((metric) => ({ name: metric.name, direction: metric.goal })),
      threads: this.#parts.threads,
      backend: config.backend,
      timeoutMs: config.limits.trial,
      memoryBytes: config.limits.memory,
      idleMs: config.limits.idleOutput,
    };
    const followed = this.#parts.checkpoints?.follow(folder.checkpointDir);
    const outcome = await runner.run(task, this.#monitor(trial, folder.trialDir), this.#stopTrials.signal);
    await followed?.end(outcome.state === 'interrupted');
    const frozen = await this.#tell(trial, outcome);
    const milliseconds = performance.now() - startedAt;
    this.#keepMetrics(folder.trialDir, frozen, outcome, milliseconds);
    const reason = reasonOf(outcome);
    if (outcome.state === 'failed') this.#parts.limits.countFailure();
    events.append({
      event: 'trial-ended',
      trial: trial.number,
      state: frozen.isInterrupted ? 'INTERRUPTED' : frozen.state,
      values: frozen.values === undefined ? null : [...frozen.values],
      seconds: Math.round(milliseconds) / 1000,
      ...(reason === undefined ? {} : { reason }),
    });
    observer.trialEnded?.(frozen, { milliseconds, reason });
    this.#parts.afterTrial(frozen);
  }

  #monitor(trial: Trial, trialDir: string): TrialMonitor {
    const { study, events, observer, afterCheckpoint } = this.#parts;
    let replayed = false;
    return {
      report: async (step, value) => {
        if (study.directions.length > 1) return 'continue';
        if (!replayed) await replayReports(study, trial, step);
        replayed = true;
        await trial.report(value, step);
        observer.reported?.(trial.frozen, step, value);
        return (await trial.shouldPrune()) ? 'prune' : 'continue';
      },
      checkpoint: (info) => {
        events.append({
          event: 'checkpoint',
          trial: trial.number,
          step: info.step,
          path: info.path,
          bytes: info.bytes,
          milliseconds: Math.round(info.milliseconds),
        });
        observer.message?.(
          'info',
          `Checkpoint saved: trial ${trial.number}, step ${info.step}, ${info.path}, ${info.bytes} bytes, ${Math.round(info.milliseconds)} ms`,
        );
        afterCheckpoint(trialDir);
      },
      log: (line) => {
        observer.message?.('info', `trial ${trial.number}: ${line}`);
      },
    };
  }

  async #tell(trial: Trial, outcome: TrialOutcome): Promise<FrozenTrial> {
    const { study } = this.#parts;
    switch (outcome.state) {
      case 'complete':
        recordAttributes(trial, outcome.metrics);
        return await study.tell(trial, outcome.values);
      case 'pruned':
        recordAttributes(trial, outcome.metrics);
        return await study.tell(trial, undefined, { state: 'PRUNED' });
      case 'failed':
        return await study.tell(trial, undefined, {
          state: 'FAIL',
          failure: { interrupted: false, message: outcome.failure.message, details: failureDetails(outcome.failure) },
        });
      case 'interrupted':
        return await study.tell(trial, undefined, {
          state: 'FAIL',
          failure: { interrupted: true, message: outcome.reason },
        });
    }
  }

  #keepMetrics(trialDir: string, trial: FrozenTrial, outcome: TrialOutcome, milliseconds: number): void {
    const metrics = 'metrics' in outcome ? outcome.metrics : undefined;
    void this.#files.writeJson(join(trialDir, 'metrics.json'), {
      trial: trial.number,
      state: trial.state,
      values: trial.values === undefined ? null : [...trial.values],
      metrics: metrics ?? {},
      intermediate_values: { ...trial.intermediateValues },
      seconds: Math.round(milliseconds) / 1000,
    });
  }
}

/** Gives a retried trial the reports that its earlier run made before the checkpoint it goes on from. */
async function replayReports(study: Study, trial: Trial, firstStep: number): Promise<void> {
  const [previous] = retryHistoryOf(trial.frozen).slice(-1);
  if (previous === undefined) return;
  const earlier = study.history.all[previous]?.intermediateValues ?? {};
  for (const [step, value] of Object.entries(earlier)) {
    if (Number(step) < firstStep) await trial.report(value, Number(step));
  }
}

/** Keeps single numbers and words beside the trial, where dashboards show them as columns. */
function recordAttributes(trial: Trial, metrics: Readonly<Record<string, JsonValue>>): void {
  for (const [name, value] of Object.entries(metrics)) {
    if (value !== null && typeof value !== 'object') trial.setUserAttr(name, value);
  }
}

function failureDetails(failure: Extract<TrialOutcome, { state: 'failed' }>['failure']): Record<string, JsonValue> {
  const { exitCode, signal, outOfMemory, timedOut, lastLines } = failure;
  return {
    ...(exitCode === undefined ? {} : { exit_code: exitCode }),
    ...(signal === undefined ? {} : { signal }),
    ...(outOfMemory === true ? { out_of_memory: true } : {}),
    ...(timedOut === true ? { timed_out: true } : {}),
    last_lines: lastLines.slice(-20),
  };
}

function reasonOf(outcome: TrialOutcome): string | undefined {
  if (outcome.state === 'failed') return outcome.failure.message;
  return outcome.state === 'interrupted' ? outcome.reason : undefined;
}
