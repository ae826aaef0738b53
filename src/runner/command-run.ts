import { spawn, type ChildProcess } from 'node:child_process';
import { statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Readable } from 'node:stream';

import { messageOf } from '../core/errors.js';
import { stringifyJson } from '../core/json.js';
import type { CommandObjectiveConfig } from '../core/sweep-config.js';
import { expandCommand, expandWord, type CommandContext } from './command-line.js';
import { LineSplitter, readOutputLine } from './command-output.js';
import { CommandResults } from './command-results.js';
import { gpuEnvironment } from './gpus.js';
import type { TrialFailure, TrialMonitor, TrialOutcome, TrialTask } from './objective.js';
import { orphanReaper } from './orphan-reaper.js';
import { processEnd, type ProcessEnd } from './process-end.js';
import { signalGroup } from './process-tree.js';
import { threadEnvironment } from './thread-environment.js';
import { TrialGuard, type BrokenLimit } from './trial-guard.js';
import { followOutput, type TrialLog } from './trial-log.js';
import { wandbConfig, wandbEnvironment } from './wandb-protocol.js';

/** What one run of a command works with. */
export interface CommandRunParts {
  readonly objective: CommandObjectiveConfig;
  readonly projectRoot: string;
  readonly study8: string;
  readonly task: TrialTask;
  readonly monitor: TrialMonitor;
  readonly log: TrialLog;
  /** Which of the trials running at the same time it is, from 0. */
  readonly slot: number;
  /** Whether it must give a result where it ends well. */
  readonly needsResult: boolean;
}

/** Why a command was told to end. */
type Ending =
  | { readonly kind: 'pruned' }
  | { readonly kind: 'interrupted' }
  | { readonly kind: 'limit'; readonly limit: BrokenLimit };

/** One process of a command, from its start to the end of its whole group. */
export class CommandRun {
  readonly #parts: CommandRunParts;
  readonly #results: CommandResults;
  #child: ChildProcess | undefined;
  #isOver = false;
  #ending: Ending | undefined;
  #reports: Promise<void> = Promise.resolve();
  #reportError: string | undefined;
  /** The last line on stderr that is not blank. */
  #lastError = '';
  #killTimer: NodeJS.Timeout | undefined;

  constructor(parts: CommandRunParts) {
    this.#parts = parts;
    this.#results = new CommandResults(parts.task.metrics);
  }

  async run(signal: AbortSignal): Promise<TrialOutcome> {
    if (signal.aborted) return { state: 'interrupted', reason: 'the sweep was stopped' };
    const child = this.#spawn();
    this.#child = child;
    const { pid } = child;
    if (pid !== undefined) orphanReaper.add(pid);
    const guard = new TrialGuard(this.#parts.task, pid ?? 0, (limit) => {
      this.#end({ kind: 'limit', limit });
    });
    const stop = (): void => {
      this.#end({ kind: 'interrupted' });
    };
    signal.addEventListener('abort', stop, { once: true });
    try {
      const end = processEnd(child);
      this.#listen(child, guard);
      const exit = await end;
      this.#isOver = true;
      await this.#reports;
      return this.#judge(exit);
    } finally {
      this.#isOver = true;
      guard.stop();
      clearTimeout(this.#killTimer);
      signal.removeEventListener('abort', stop);
      // Whatever it started and left behind.
      this.kill();
      if (pid !== undefined) orphanReaper.remove(pid);
    }
  }

  /** Ends it at once, with all that it started. */
  kill(): void {
    if (this.#child?.pid !== undefined) signalGroup(this.#child.pid, 'SIGKILL');
  }

  #spawn(): ChildProcess {
    const { objective, projectRoot, study8, task, slot } = this.#parts;
    const isWandb = objective.protocol === 'wandb';
    const paramsFile = join(task.trialDir, isWandb ? 'wandb-config.json' : 'params.json');
    if (isWandb) writeFileSync(paramsFile, stringifyJson(wandbConfig(task.params)));
    const { protocol } = objective;
    const context: CommandContext = { task, paramsFile, study8, projectRoot, env: process.env, protocol };
    const [program = '', ...args] = expandCommand(objective.command, context);
    const configured = Object.entries(objective.env).map(([name, value]) => [name, expandWord(value, context)]);
    return spawn(program, args, {
      cwd: resolve(projectRoot, objective.cwd ?? '.'),
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      env: {
        ...process.env,
        ...threadEnvironment(task.threads),
        ...gpuEnvironment(slot),
        PYTHONUNBUFFERED: '1',
        RESWEEP_PARAMS: stringifyJson(task.params),
        RESWEEP_PARAMS_FILE: paramsFile,
        RESWEEP_TRIAL_NUMBER: String(task.number),
        RESWEEP_TRIAL_DIR: task.trialDir,
        RESWEEP_CHECKPOINT_DIR: task.checkpointDir,
        RESWEEP_SEED: String(task.seed),
        RESWEEP_REPORT_FD: '3',
        ...(isWandb ? wandbEnvironment(task, process.env) : {}),
        ...(Object.fromEntries(configured) as Record<string, string>),
      },
    });
  }

  #listen(child: ChildProcess, guard: TrialGuard): void {
    const { log } = this.#parts;
    const lines = new LineSplitter((line) => {
      this.#results.takeText(line);
      this.#take(line);
    });
    const reportLines = new LineSplitter((line) => {
      if (!this.#take(line) && line.trim() !== '') {
        log.line(`A line on RESWEEP_REPORT_FD was not understood: ${line.slice(0, 500)}`);
      }
    });
    const follow = (stream: unknown, target: TrialLog | undefined, splitter?: LineSplitter): void => {
      if (!(stream instanceof Readable)) return;
      followOutput(
        stream,
        () => target,
        (text) => {
          guard.sign();
          splitter?.write(text);
        },
      );
      // Also where the stream is given up with something still holding it open.
      stream.once('close', () => splitter?.end());
      stream.once('end', () => splitter?.end());
    };
    const [, stdout, stderr, reports] = child.stdio;
    follow(stdout, log, lines);
    follow(
      stderr,
      log,
      new LineSplitter((line) => {
        if (line.trim() !== '') this.#lastError = line.trim();
      }),
    );
    follow(reports, undefined, reportLines);
  }

  /** Takes a line that means something; returns whether it did. */
  #take(line: string): boolean {
    if (this.#isOver) return true;
    const { monitor } = this.#parts;
    const read = readOutputLine(line);
    switch (read.kind) {
      case 'text':
        return false;
      case 'result':
        this.#results.takeResult(read.result);
        return true;
      case 'checkpoint':
        monitor.checkpoint({ path: read.path, step: read.step, bytes: bytesOf(read.path), milliseconds: 0 });
        return true;
      case 'report':
        this.#results.takeReport();
        // One after the other, in the order of the steps.
        this.#reports = this.#reports.then(() => this.#report(read.step, read.value));
        return true;
    }
  }

  async #report(step: number, value: number): Promise<void> {
    if (this.#ending !== undefined || this.#reportError !== undefined) return;
    try {
      if ((await this.#parts.monitor.report(step, value)) === 'prune') this.#end({ kind: 'pruned' });
    } catch (error) {
      this.#reportError = messageOf(error);
    }
  }

  /** Asks the command to end, and after its grace period ends it. One that fills the memory gets no grace. */
  #end(ending: Ending): void {
    // A command that has ended by itself has given its result, whatever the pruner says of its last report.
    if (this.#ending !== undefined || this.#isOver) return;
    this.#ending = ending;
    const pid = this.#child?.pid;
    if (pid === undefined) return;
    if (ending.kind === 'limit' && ending.limit.outOfMemory === true) {
      signalGroup(pid, 'SIGKILL');
      return;
    }
    signalGroup(pid, 'SIGTERM');
    this.#killTimer = setTimeout(() => {
      signalGroup(pid, 'SIGKILL');
    }, this.#parts.objective.grace);
  }

  #judge(exit: ProcessEnd): TrialOutcome {
    if (this.#ending?.kind === 'pruned') return { state: 'pruned', metrics: {} };
    if (this.#ending?.kind === 'interrupted') return { state: 'interrupted', reason: 'the sweep was stopped' };
    const failure = this.#ending?.limit ?? this.#failure(exit);
    if (failure === undefined && !this.#parts.needsResult) return { state: 'complete', values: [], metrics: {} };
    const outcome: TrialOutcome =
      failure === undefined ? this.#results.outcome() : { state: 'failed', failure: { ...failure, lastLines: [] } };
    if (outcome.state !== 'failed') return outcome;
    return { state: 'failed', failure: { ...outcome.failure, lastLines: this.#parts.log.lastLines } };
  }

  #failure({ code, signal, error }: ProcessEnd): Omit<TrialFailure, 'lastLines'> | undefined {
    if (error !== undefined) return { message: this.#explainStart(error) };
    if (signal !== null) {
      const killed = signal === 'SIGKILL' ? ' (the system kills what uses too much memory)' : '';
      return { message: `The command was ended by ${signal}${killed}.`, signal };
    }
    if (code !== 0) {
      // Why a program gives up is said on stderr (the exception, after the traceback); before that it may have printed anything.
      const last = this.#lastError === '' ? this.#results.lastText : this.#lastError;
      const message = `The command ended with exit code ${code ?? 'unknown'}${last === '' ? '.' : `: ${last.slice(0, 300)}`}`;
      return { message, exitCode: code ?? -1 };
    }
    return this.#reportError === undefined
      ? undefined
      : { message: `Its report could not be stored: ${this.#reportError}` };
  }

  #explainStart(error: Error): string {
    const { objective, projectRoot } = this.#parts;
    const [program = ''] = objective.command;
    switch ((error as NodeJS.ErrnoException).code) {
      case 'ENOENT': {
        const cwd = resolve(projectRoot, objective.cwd ?? '.');
        const isFolder = statSync(cwd, { throwIfNoEntry: false })?.isDirectory() === true;
        return isFolder ? `There is no program "${program}".` : `There is no folder ${cwd} to run the command in.`;
      }
      case 'EACCES':
        return `The program "${program}" may not be run: make it executable (chmod +x), or name its interpreter first.`;
      default:
        return error.message;
    }
  }
}

function bytesOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
