import { createWriteStream, type WriteStream } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

const KEPT_LINES = 50;
const KEPT_LINE_LENGTH = 2_000;
/** A trial that runs wild must not fill the disk. */
const MAX_LENGTH = 100_000_000;

/** A trial's `log.txt`, appended to, and the last lines of it in memory. Never throws for a full disk. */
export class TrialLog {
  readonly #stream: WriteStream;
  readonly #maxLength: number;
  readonly #last: string[] = [];
  #partial = '';
  #length = 0;
  #draining: Promise<void> | undefined;

  constructor(trialDir: string, maxLength = MAX_LENGTH) {
    this.#maxLength = maxLength;
    this.#stream = createWriteStream(join(trialDir, 'log.txt'), { flags: 'a' });
    this.#stream.on('error', () => undefined);
  }

  /** Takes text; returns false where the disk is slower than the writer, which shall then wait for `drained`. */
  write(text: string): boolean {
    const lines = (this.#partial + text).split('\n');
    this.#partial = (lines.pop() ?? '').slice(-KEPT_LINE_LENGTH);
    for (const line of lines) this.#keep(line);
    if (this.#length > this.#maxLength || !this.#stream.writable) return true;
    this.#length += text.length;
    if (this.#length <= this.#maxLength) return this.#stream.write(text);
    return this.#stream.write(
      `${text.slice(0, 10_000)}\n… more than ${this.#maxLength} characters: the rest is not kept\n`,
    );
  }

  line(text: string): void {
    this.write(`${text}\n`);
  }

  /** Resolves when what was taken is written, or cannot be. */
  drained(): Promise<void> {
    if (!this.#stream.writableNeedDrain) return Promise.resolve();
    this.#draining ??= new Promise((resolve) => {
      const end = (): void => {
        this.#stream.off('drain', end).off('close', end);
        this.#draining = undefined;
        resolve();
      };
      this.#stream.on('drain', end).on('close', end);
    });
    return this.#draining;
  }

  #keep(line: string): void {
    if (line.trim() === '') return;
    this.#last.push(line.slice(0, KEPT_LINE_LENGTH));
    if (this.#last.length > KEPT_LINES) this.#last.shift();
  }

  /** The end of what was written. */
  get lastLines(): readonly string[] {
    return this.#partial.trim() === '' ? [...this.#last] : [...this.#last, this.#partial];
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#stream.end(() => {
        resolve();
      });
      this.#stream.once('error', () => {
        resolve();
      });
    });
  }
}

/** Writes a process's output into a log, no faster than the disk takes it; `onText` sees it too. */
export function followOutput(stream: Readable, log: () => TrialLog | undefined, onText?: (text: string) => void): void {
  stream.setEncoding('utf8');
  stream.on('error', () => undefined);
  stream.on('data', (text: string) => {
    const target = log();
    if (target?.write(text) === false) {
      stream.pause();
      void target.drained().then(() => stream.resume());
    }
    onText?.(text);
  });
}
