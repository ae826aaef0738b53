import { fork, type ChildProcess } from 'node:child_process';

import type { TrialMonitor, TrialOutcome, TrialTask } from './objective.js';
import { orphanReaper } from './orphan-reaper.js';
import { processEnd, type ProcessEnd } from './process-end.js';
import { residentBytes, signalGroup } from './process-tree.js';
import { TrialGuard } from './trial-guard.js';
import { followOutput, TrialLog } from './trial-log.js';
import type { FromWorker, ToWorker, WorkerObjective } from './worker-protocol.js';
import { WorkerTrial } from './worker-trial.js';

export interface WorkerOptions {
  readonly entry: string;
  readonly objective: WorkerObjective;
  readonly env: Readonly<Record<string, string>>;
  /** Options of Node itself. */
  readonly execArgv: readonly string[];
  /** Time that a stopped trial has for its checkpoint. */
  readonly stopGraceMs: number;
}

export interface WorkerResult {
  readonly outcome: TrialOutcome;
  /** The process was gone before the trial's code began: another worker can run it. */
  readonly isUntouched: boolean;
}

/** One warm worker process and the trial that it runs. */
export class Worker {
  readonly #child: ChildProcess;
  readonly #options: WorkerOptions;
  readonly #exited: Promise<ProcessEnd>;
  #trial: WorkerTrial | undefined;
  #guard: TrialGuard | undefined;
  #log: TrialLog | undefined;
  #hasEnded = false;
  #trials = 0;

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#child = fork(options.entry, [], {
      serialization: 'advanced',
      // Its own process group: Ctrl-C on the terminal reaches the orchestrator alone, and a kill reaches all it started.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { ...process.env, ...options.env },
      execArgv: [...options.execArgv],
    });
    const { pid } = this.#child;
    if (pid !== undefined) orphanReaper.add(pid);
    this.#exited = processEnd(this.#child);
    const markEnded = (): void => {
      this.#hasEnded = true;
    };
    this.#child.once('exit', markEnded);
    this.#child.once('error', markEnded);
    this.#child.on('message', (message: FromWorker) => {
      this.#guard?.sign();
      this.#trial?.receive(message);
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream === null) continue;
      followOutput(
        stream,
        () => this.#log,
        () => this.#guard?.sign(),
      );
    }
    this.#send({ kind: 'prepare', objective: options.objective });
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Trials that it has run. */
  get trials(): number {
    return this.#trials;
  }

  /** Resident bytes of the process itself. */
  get residentBytes(): number {
    return this.#child.pid === undefined ? 0 : (residentBytes(this.#child.pid) ?? 0);
  }

  #send(message: ToWorker): void {
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }

  kill(): void {
    if (this.#child.pid !== undefined) signalGroup(this.#child.pid, 'SIGKILL');
  }

  /** Lets an idle worker end, with whatever it has started. */
  async close(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    const timer = setTimeout(() => {
      this.kill();
    }, 2_000);
    await this.#exited;
    clearTimeout(timer);
    this.kill(); // Whatever it left behind in its group.
    if (this.#child.pid !== undefined) orphanReaper.remove(this.#child.pid);
  }

  /** Runs one trial to its end, whichever way it ends. */
  async run(task: TrialTask, monitor: TrialMonitor, signal: AbortSignal): Promise<WorkerResult> {
    const log = new TrialLog(task.trialDir);
    const trial = new WorkerTrial({
      run: this.#trials++,
      task,
      monitor,
      log,
      send: (message) => {
        this.#send(message);
      },
      kill: () => {
        this.kill();
      },
    });
    const guard = new TrialGuard(task, this.#child.pid ?? 0, (limit) => {
      trial.break(limit);
    });
    let graceTimer: NodeJS.Timeout | undefined;
    const stop = (): void => {
      this.#send({ kind: 'stop' });
      graceTimer = setTimeout(() => {
        this.kill();
      }, this.#options.stopGraceMs);
    };
    this.#log = log;
    this.#guard = guard;
    this.#trial = trial;
    try {
      this.#send({ kind: 'run', run: this.#trials - 1, task });
      if (signal.aborted) stop();
      else signal.addEventListener('abort', stop, { once: true });
      const outcome = await trial.outcome(this.#exited, signal);
      return { outcome, isUntouched: trial.isUntouched };
    } finally {
      guard.stop();
      clearTimeout(graceTimer);
      signal.removeEventListener('abort', stop);
      this.#trial = undefined;
      this.#guard = undefined;
      this.#log = undefined;
      await log.close();
    }
  }
}
