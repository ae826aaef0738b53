import { messageOf, ResweepError, TrialPruned } from '../core/errors.js';
import type { CheckpointInfo, TrialOutcome, TrialTask } from './objective.js';
import { outcomeOf } from './outcome.js';
import type { FromWorker, ToWorker, WorkerObjective } from './worker-protocol.js';

/** What a trial's code can do, inside the worker. */
export interface RunContext {
  /** Passes a value on; throws TrialPruned where the pruner gives the trial up. */
  report(step: number, value: number, replayed?: boolean): Promise<void>;
  checkpoint(info: CheckpointInfo): void;
  log(line: string): void;
  /** Aborted when the sweep is being stopped. */
  readonly signal: AbortSignal;
}

/** Runs one trial: a value, one per objective, or values by metric name come back. */
export type ObjectiveRun = (task: TrialTask, context: RunContext) => Promise<unknown>;

/** The worker's side of the protocol: one trial at a time. */
export class WorkerSession {
  readonly #send: (message: FromWorker) => void;
  readonly #createRun: (objective: WorkerObjective) => ObjectiveRun;
  #objective: ObjectiveRun | undefined;
  #current: TrialRun | undefined;

  constructor(send: (message: FromWorker) => void, createRun: (objective: WorkerObjective) => ObjectiveRun) {
    this.#send = send;
    this.#createRun = createRun;
  }

  receive(message: ToWorker): void {
    switch (message.kind) {
      case 'prepare':
        this.#objective = this.#createRun(message.objective);
        break;
      case 'run':
        this.#current = new TrialRun(message.run, this.#send);
        void this.#current.run(message.task, this.#objective);
        break;
      case 'verdict':
        this.#current?.verdict(message.run, message.report, message.verdict);
        break;
      case 'stop':
        this.#current?.stop();
    }
  }
}

/** One trial in the worker. */
class TrialRun {
  readonly #number: number;
  readonly #send: (message: FromWorker) => void;
  readonly #stop = new AbortController();
  readonly #verdicts = new Map<number, (verdict: 'continue' | 'prune') => void>();
  readonly #pending = new Set<Promise<void>>();
  #reports = 0;
  #isPruned = false;
  #isOver = false;

  constructor(number: number, send: (message: FromWorker) => void) {
    this.#number = number;
    this.#send = send;
  }

  async run(task: TrialTask, objective: ObjectiveRun | undefined): Promise<void> {
    const run = this.#number;
    this.#send({ kind: 'started', run });
    const outcome = await this.#outcome(task, objective);
    // Reports that the objective did not wait for.
    await Promise.allSettled(this.#pending);
    this.#isOver = true;
    this.#send({ kind: 'ended', run, outcome });
  }

  verdict(run: number, report: number, verdict: 'continue' | 'prune'): void {
    if (run !== this.#number) return;
    this.#verdicts.get(report)?.(verdict);
    this.#verdicts.delete(report);
  }

  stop(): void {
    this.#stop.abort();
  }

  async #outcome(task: TrialTask, objective: ObjectiveRun | undefined): Promise<TrialOutcome> {
    const { signal } = this.#stop;
    const run = this.#number;
    let outcome: TrialOutcome;
    try {
      if (objective === undefined) throw new Error('The worker was given no objective.');
      const result = await objective(task, {
        report: (step, value, replayed = false) => this.#report(step, value, replayed),
        checkpoint: (info) => {
          if (!this.#isOver) this.#send({ kind: 'checkpoint', run, info });
        },
        log: (line) => {
          this.#send({ kind: 'log', run, line });
        },
        signal,
      });
      outcome = outcomeOf(result, task.metrics);
    } catch (error) {
      if (isPruned(error)) return { state: 'pruned', metrics: {} };
      outcome = { state: 'failed', failure: { message: explain(error), lastLines: stackOf(error) } };
    }
    // Once it was asked to stop, whatever it ends with but a result is the stop's doing.
    return outcome.state === 'failed' && signal.aborted
      ? { state: 'interrupted', reason: 'the sweep was stopped' }
      : outcome;
  }

  /** Throws at once for what can never be reported; the promise fails where the trial is pruned. */
  #report(step: number, value: number, replayed: boolean): Promise<void> {
    if (!Number.isInteger(step) || step < 0) {
      throw new TypeError(`report(step, value): the step must be a whole number from 0 on, but is ${String(step)}.`);
    }
    if (typeof value !== 'number') {
      throw new TypeError(`report(step, value): the value must be a number, but is ${typeof value} ${String(value)}.`);
    }
    if (this.#isPruned) throw new TrialPruned();
    if (this.#isOver) return Promise.resolve();
    const report = this.#reports++;
    const answered = new Promise<'continue' | 'prune'>((resolve) => {
      this.#verdicts.set(report, resolve);
      this.#send({ kind: 'report', run: this.#number, report, step, value, replayed });
    }).then((verdict) => {
      if (verdict !== 'prune') return;
      this.#isPruned = true;
      throw new TrialPruned();
    });
    this.#pending.add(answered);
    const forget = (): void => {
      this.#pending.delete(answered);
    };
    // Also keeps the process alive where the objective does not wait: its next report throws.
    answered.then(forget, forget);
    return answered;
  }
}

/** By name too: an objective may have loaded another copy of the class. */
function isPruned(error: unknown): boolean {
  return error instanceof TrialPruned || (error instanceof Error && error.name === 'TrialPruned');
}

function explain(error: unknown): string {
  const hint = error instanceof ResweepError && error.hint !== undefined ? ` ${error.hint}` : '';
  return `${messageOf(error)}${hint}`;
}

function stackOf(error: unknown): string[] {
  return error instanceof Error && error.stack !== undefined ? error.stack.split('\n').slice(0, 12) : [];
}
