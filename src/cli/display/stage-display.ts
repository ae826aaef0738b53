import logUpdate from 'log-update';

import type { StageObserver } from '../../app/stages/stage-session.js';
import type { MessageLevel } from '../../app/sweep/sweep-observer.js';
import type { Output } from '../output.js';

/** Least time between two lines of progress where nothing can be drawn over. */
const LINE_MS = 10_000;
const BAR = 24;

/** Shows stages: one line that is redrawn on a terminal, else a line now and then. */
export class StageDisplay implements StageObserver {
  readonly #output: Output;
  #lastLineAt = performance.now();
  #isDrawn = false;

  constructor(output: Output) {
    this.#output = output;
  }

  message(level: MessageLevel, text: string): void {
    this.#clear();
    if (level === 'info') this.#output.detail(text);
    else this.#output.warn(text);
  }

  progress(stage: string, done: number, total: number, text: string): void {
    const share = total > 0 ? Math.min(1, done / total) : 0;
    const count = total > 0 ? `${done}/${total}` : String(done);
    if (this.#output.isLive) {
      const filled = Math.round(share * BAR);
      logUpdate(`  ${stage} ${'█'.repeat(filled)}${'░'.repeat(BAR - filled)} ${count}  ${text}`);
      this.#isDrawn = true;
      return;
    }
    const now = performance.now();
    if (now - this.#lastLineAt < LINE_MS) return;
    this.#lastLineAt = now;
    this.#output.info(`  ${stage} ${count}  ${text}`);
  }

  close(): void {
    this.#clear();
  }

  #clear(): void {
    if (!this.#isDrawn) return;
    logUpdate.clear();
    this.#isDrawn = false;
  }
}
