import { messageOf } from '../core/errors.js';
import type { CommandObjectiveConfig } from '../core/sweep-config.js';
import { CommandRun } from './command-run.js';
import type { TrialMonitor, TrialOutcome, TrialRunner, TrialTask } from './objective.js';
import { TrialLog } from './trial-log.js';

export interface CommandRunnerOptions {
  readonly objective: CommandObjectiveConfig;
  readonly projectRoot: string;
  readonly study8: string;
  readonly jobs: number;
  /** Whether a command that ends well must have given a result. @default true */
  readonly needsResult?: boolean;
}

/** Runs any program, once per trial, in a process group of its own. */
export class CommandRunner implements TrialRunner {
  readonly description: string;
  readonly #options: CommandRunnerOptions;
  readonly #running = new Set<CommandRun>();
  readonly #freeSlots: number[];

  constructor(options: CommandRunnerOptions) {
    this.#options = options;
    this.#freeSlots = Array.from({ length: options.jobs }, (_, i) => i);
    this.description = options.objective.command.join(' ').slice(0, 60);
  }

  async run(task: TrialTask, monitor: TrialMonitor, signal: AbortSignal): Promise<TrialOutcome> {
    const { objective, projectRoot, study8, needsResult = true } = this.#options;
    const slot = this.#freeSlots.shift() ?? 0;
    const log = new TrialLog(task.trialDir);
    const run = new CommandRun({ objective, projectRoot, study8, task, monitor, log, slot, needsResult });
    this.#running.add(run);
    try {
      return await run.run(signal);
    } catch (error) {
      return { state: 'failed', failure: { message: messageOf(error), lastLines: log.lastLines } };
    } finally {
      this.#running.delete(run);
      this.#freeSlots.push(slot);
      await log.close();
    }
  }

  close(): Promise<void> {
    for (const run of this.#running) run.kill();
    return Promise.resolve();
  }
}
