import type { RestoreProgress } from '../../app/backup/archive-commands.js';
import { formatBytes, formatDuration, type Output } from '../output.js';

const LIVE_MS = 200;
const LINE_MS = 5_000;

/** Shows how far a restore is, with rate and time left: redrawn on a terminal, else a line every few seconds. */
export class RestoreDisplay {
  readonly #output: Output;
  #target = '';
  #startedAt = 0;
  #shownAt = -Infinity;
  #isDrawn = false;

  constructor(output: Output) {
    this.#output = output;
  }

  readonly show = (progress: RestoreProgress): void => {
    const now = performance.now();
    if (progress.target !== this.#target || progress.doneBytes === 0) {
      this.#target = progress.target;
      this.#startedAt = now;
      this.#shownAt = now;
    }
    if (now - this.#shownAt < (this.#output.isLive ? LIVE_MS : LINE_MS)) return;
    this.#shownAt = now;
    const line = progressLine(progress, now - this.#startedAt);
    if (!this.#output.isLive) this.#output.info(line);
    else {
      process.stderr.write(`\r\x1b[K${line.slice(0, this.#output.width - 1)}`);
      this.#isDrawn = true;
    }
  };

  close(): void {
    if (this.#isDrawn) process.stderr.write('\r\x1b[K');
  }
}

/** `study.db from drive: 42 %, 12 MB of 30 MB, 4.1 MB/s, about 5 s left`. */
export function progressLine(
  { target, destination, doneBytes, totalBytes }: RestoreProgress,
  elapsedMs: number,
): string {
  const perMs = doneBytes / Math.max(1, elapsedMs);
  const left = perMs > 0 ? (totalBytes - doneBytes) / perMs : NaN;
  const share = totalBytes === 0 ? 100 : Math.floor((doneBytes / totalBytes) * 100);
  const name = target.slice(target.lastIndexOf('/') + 1);
  const rate = `${formatBytes(Math.round(perMs * 1000))}/s`;
  const rest = Number.isFinite(left) ? `, about ${formatDuration(left)} left` : '';
  return `${name} from ${destination}: ${share} %, ${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}, ${rate}${rest}`;
}
