import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { pino, type Logger } from 'pino';

import { redactUrls } from '../../core/storage-url.js';
import { RUN_LOG } from '../../core/study-paths.js';
import type { SweepObserver } from './sweep-observer.js';

/**
 * The `run.log` of a study: what was said to people and what happened to trials, one JSON object a line (pino's format). What comes
 * before the study's folder is known is kept until then; a log that cannot be written ends no sweep.
 */
export class RunLog {
  /** Writes to the log and passes everything on. */
  readonly observer: SweepObserver;
  readonly #early: string[] = [];
  #stream: ReturnType<typeof pino.destination> | undefined;
  #isOpen = false;

  constructor(observer: SweepObserver) {
    const logger = pino(
      {
        base: { pid: process.pid },
        timestamp: pino.stdTimeFunctions.isoTime,
        formatters: { level: (label) => ({ level: label }) },
      },
      {
        write: (line: string) => {
          this.#write(redactUrls(line));
        },
      },
    );
    this.observer = logged(observer, logger);
  }

  #write(line: string): void {
    if (!this.#isOpen) this.#early.push(line);
    else this.#stream?.write(line);
  }

  /** From now on the log is in this folder. */
  open(studyDir: string): void {
    this.#isOpen = true;
    try {
      mkdirSync(studyDir, { recursive: true });
      this.#stream = pino.destination({ dest: join(studyDir, RUN_LOG), append: true, sync: true });
      this.#stream.on('error', () => undefined);
    } catch {
      this.#stream = undefined;
    }
    for (const line of this.#early.splice(0)) this.#stream?.write(line);
  }

  close(): void {
    this.#isOpen = true;
    this.#early.length = 0;
    try {
      this.#stream?.flushSync();
      this.#stream?.end();
    } catch {
      // A full disk: what could be written is there.
    }
    this.#stream = undefined;
  }
}

function logged(observer: SweepObserver, logger: Logger): SweepObserver {
  return {
    ...observer,
    message: (level, text) => {
      logger[level](text);
      observer.message?.(level, text);
    },
    started: (start) => {
      const { study8, total, finished, runner, restoredFrom } = start;
      logger.info({ study8, total, finished, runner, restoredFrom }, 'sweep started');
      observer.started?.(start);
    },
    trialEnded: (trial, info) => {
      logger.info(
        { trial: trial.number, state: trial.state, values: trial.values, reason: info.reason },
        'trial ended',
      );
      observer.trialEnded?.(trial, info);
    },
    stopping: (reason) => {
      logger.info(`stopping: ${reason}`);
      observer.stopping?.(reason);
    },
    finished: (summary) => {
      logger.info({ trials: summary.trials, best: summary.best }, 'sweep ended');
      observer.finished?.(summary);
    },
  };
}
