import type { TrialMonitor, TrialOutcome, TrialTask } from './objective.js';
import type { ProcessEnd } from './process-end.js';
import type { BrokenLimit } from './trial-guard.js';
import type { TrialLog } from './trial-log.js';
import type { FromWorker, ToWorker } from './worker-protocol.js';

/** What one trial on a worker works with. */
export interface WorkerTrialParts {
  readonly run: number;
  readonly task: TrialTask;
  readonly monitor: TrialMonitor;
  readonly log: TrialLog;
  readonly send: (message: ToWorker) => void;
  readonly kill: () => void;
}

/** The pool's side of one trial on a worker: takes the worker's messages until the trial's end. */
export class WorkerTrial {
  readonly #parts: WorkerTrialParts;
  readonly #ended: Promise<TrialOutcome>;
  #end: (outcome: TrialOutcome) => void = () => undefined;
  #reports: Promise<void> = Promise.resolve();
  #hasStarted = false;
  #limit: BrokenLimit | undefined;
  #reportError: string | undefined;

  constructor(parts: WorkerTrialParts) {
    this.#parts = parts;
    this.#ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  receive(message: FromWorker): void {
    const { run, monitor, log } = this.#parts;
    // What an earlier trial left running in the worker is not this trial's.
    if (message.run !== run) return;
    switch (message.kind) {
      case 'started':
        this.#hasStarted = true;
        break;
      case 'report':
        // One after the other, in the order in which they were made.
        this.#reports = this.#reports.then(() => this.#report(message));
        break;
      case 'checkpoint':
        monitor.checkpoint(message.info);
        break;
      case 'log':
        log.line(message.line);
        monitor.log(message.line);
        break;
      case 'ended':
        this.#end(message.outcome);
    }
  }

  /** The worker has ended before the trial's code began, and not for a limit of the trial. */
  get isUntouched(): boolean {
    return !this.#hasStarted && this.#limit === undefined;
  }

  /** Ends it for good. */
  break(limit: BrokenLimit): void {
    this.#limit ??= limit;
    this.#parts.kill();
  }

  async #report(message: Extract<FromWorker, { kind: 'report' }>): Promise<void> {
    const { monitor, send, kill } = this.#parts;
    if (this.#reportError !== undefined) return;
    const { run, report, step, value, replayed } = message;
    try {
      const verdict = await monitor.report(step, value);
      send({ kind: 'verdict', run, report, verdict: replayed ? 'continue' : verdict });
    } catch (error) {
      // The study cannot take the report: the trial cannot go on.
      this.#reportError = error instanceof Error ? error.message : String(error);
      kill();
    }
  }

  /** How the trial ends: as the worker says, or with the worker's own end. */
  async outcome(exited: Promise<ProcessEnd>, signal: AbortSignal): Promise<TrialOutcome> {
    const outcome = await Promise.race([this.#ended, exited]);
    await this.#reports;
    if ('state' in outcome) {
      await outputRead();
      return this.#withLog(outcome);
    }
    if (this.#limit === undefined && this.#reportError === undefined && signal.aborted) {
      return { state: 'interrupted', reason: 'the sweep was stopped' };
    }
    return this.#crashed(outcome);
  }

  /** A failure shows the end of what the trial wrote, beside its own stack. */
  #withLog(outcome: TrialOutcome): TrialOutcome {
    if (outcome.state !== 'failed') return outcome;
    const { failure } = outcome;
    const { log } = this.#parts;
    for (const line of failure.lastLines) log.line(line);
    return { state: 'failed', failure: { ...failure, lastLines: log.lastLines } };
  }

  #crashed({ code, signal, error }: ProcessEnd): TrialOutcome {
    const { lastLines } = this.#parts.log;
    if (this.#limit !== undefined) return { state: 'failed', failure: { ...this.#limit, lastLines } };
    if (this.#reportError !== undefined) {
      const message = `Its report could not be stored: ${this.#reportError}`;
      return { state: 'failed', failure: { message, lastLines } };
    }
    if (error !== undefined) {
      const message = `No worker process could be started: ${error.message}`;
      return { state: 'failed', failure: { message, lastLines } };
    }
    const heapIsFull = lastLines.some((line) => line.includes('heap out of memory'));
    const how = signal === null ? `with exit code ${code ?? 'unknown'}` : `by signal ${signal}`;
    const why = heapIsFull
      ? ': out of memory'
      : signal === 'SIGKILL'
        ? ' (the system kills what uses too much memory)'
        : '';
    return {
      state: 'failed',
      failure: {
        message: `Its worker process ended ${how}${why}.`,
        ...(code === null ? {} : { exitCode: code }),
        ...(signal === null ? {} : { signal }),
        ...(heapIsFull ? { outOfMemory: true } : {}),
        lastLines,
      },
    };
  }
}

/** Lets the event loop go round once, in which it reads what the worker wrote before it told of the trial's end. */
async function outputRead(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
}
