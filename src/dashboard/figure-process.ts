import { fork, type ChildProcess } from 'node:child_process';
import { constants, setPriority } from 'node:os';

import { builtEntry } from '../core/built-entry.js';
import { ResweepError } from '../core/errors.js';
import type { CatalogEntry } from '../app/studies/catalog-entry.js';
import { errorOf, type ErrorParts } from './error-parts.js';
import type { FigureOrder } from './figure-maker.js';

/** To the process. */
export type FigureMessage = { readonly id: number; readonly order: FigureOrder } | { readonly prepare: CatalogEntry };

/** From it. */
export type FigureReply =
  { readonly id: number; readonly text: string } | { readonly id: number; readonly error: ErrorParts };

interface Waiting {
  readonly resolve: (text: string) => void;
  readonly reject: (error: Error) => void;
}

/** A process that makes figures; begun when one is wanted, and again where it ended. */
export class FigureProcess {
  readonly #waiting = new Map<number, Waiting>();
  #child: ChildProcess | undefined;
  readonly #isPatient: boolean;
  #lastId = 0;
  #isClosed = false;

  /** `isPatient`: it gives way to everything else on this machine. @default false */
  constructor(options: { readonly isPatient?: boolean } = {}) {
    this.#isPatient = options.isPatient ?? false;
  }

  /** Begins it, with a study opened where one is named. */
  prepare(entry?: CatalogEntry): void {
    if (this.#isClosed) return;
    const child = this.#begun();
    if (entry !== undefined) child.send({ prepare: entry } satisfies FigureMessage);
  }

  /** @throws what the figure threw; ResweepError where the process ended */
  async make(order: FigureOrder): Promise<string> {
    if (this.#isClosed) throw new ResweepError('FIGURES_LOST', 'The dashboard is closed.');
    const id = ++this.#lastId;
    return await new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#begun().send({ id, order } satisfies FigureMessage);
    });
  }

  #begun(): ChildProcess {
    if (this.#child !== undefined) return this.#child;
    const child = fork(builtEntry('figure-worker.js', import.meta.url), [], {
      // What the samplers of a program would be told: nobody calls a function here.
      execArgv: ['--disable-warning=ResweepWarning'],
      serialization: 'advanced',
    });
    this.#child = child;
    if (this.#isPatient && child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_LOW);
    child.on('message', (reply: FigureReply) => {
      const waiting = this.#waiting.get(reply.id);
      this.#waiting.delete(reply.id);
      if ('text' in reply) waiting?.resolve(reply.text);
      else waiting?.reject(errorOf(reply.error));
    });
    const lost = (cause?: Error): void => {
      if (this.#child !== child) return;
      this.#child = undefined;
      for (const { reject } of this.#waiting.values()) {
        reject(new ResweepError('FIGURES_LOST', 'The process that makes figures ended.', { cause }));
      }
      this.#waiting.clear();
    };
    child.once('exit', () => {
      lost();
    });
    child.on('error', lost);
    return child;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const child = this.#child;
    if (child === undefined) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }
}
