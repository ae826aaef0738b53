import { styleText } from 'node:util';

import { strictJson, type JsonValue } from '../core/json.js';

export {
  bytesText as formatBytes,
  durationText as formatDuration,
  timeText as formatTime,
} from '../app/views/format-text.js';

type Style = Parameters<typeof styleText>[0];

/** How much is said: `--quiet` results and problems only, `--verbose` every log line. */
export type Verbosity = 'quiet' | 'normal' | 'verbose';

/**
 * The one place that writes to the terminal. With `--json`, stdout carries one JSON document and nothing else; whatever is said to
 * people then goes to stderr.
 */
export class Output {
  readonly json: boolean;
  readonly verbosity: Verbosity;
  readonly #color: boolean;

  constructor(options: { json: boolean; verbosity: Verbosity }) {
    this.json = options.json;
    this.verbosity = options.verbosity;
    this.#color = process.stdout.isTTY && process.env['NO_COLOR'] === undefined && !this.json;
  }

  /** Whether a display that redraws itself makes sense. */
  get isLive(): boolean {
    return process.stdout.isTTY && !this.json && this.verbosity === 'normal' && process.env['CI'] === undefined;
  }

  /** Columns of the terminal; 100 where it has none. */
  get width(): number {
    return Math.max(40, process.stdout.columns || 100);
  }

  style(format: Style, text: string): string {
    return this.#color ? styleText(format, text, { validateStream: false }) : text;
  }

  /** A line of the result, for people. */
  print(text = ''): void {
    if (!this.json) process.stdout.write(`${text}\n`);
  }

  /** A line on the way; silent with `--quiet`. */
  info(text: string): void {
    if (this.verbosity === 'quiet') return;
    (this.json ? process.stderr : process.stdout).write(`${text}\n`);
  }

  /** A line for `--verbose` only. */
  detail(text: string): void {
    if (this.verbosity === 'verbose') this.info(text);
  }

  /** Something to look at, on stderr. */
  warn(text: string): void {
    process.stderr.write(`${this.style('yellow', 'Warning:')} ${text}\n`);
  }

  /** The one document of `--json`. */
  document(value: JsonValue): void {
    process.stdout.write(`${strictJson(value)}\n`);
  }

  /** Rows under headings, columns aligned; the columns named in `right` to the right. */
  table(headings: readonly string[], rows: readonly (readonly string[])[], right: readonly number[] = []): void {
    if (this.json) return;
    const widths = headings.map((heading, i) => Math.max(heading.length, ...rows.map((row) => row[i]?.length ?? 0)));
    const line = (cells: readonly string[]): string =>
      cells
        .map((cell, i) => (right.includes(i) ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
        .join('  ')
        .trimEnd();
    this.print(this.style('bold', line(headings)));
    for (const row of rows) this.print(line(row));
  }
}

/** Log lines of the parts below: information with `--verbose` only. */
export function logTo(output: Output): { info: (text: string) => void; warn: (text: string) => void } {
  return {
    info: (text) => {
      output.detail(text);
    },
    warn: (text) => {
      output.warn(text);
    },
  };
}

/** A number with four significant digits, without a tail of zeros. */
/** An error of a destination, which most begin with the name of. */
export function ofDestination(name: string, error: string): string {
  return error.startsWith(`${name}: `) ? error : `${name}: ${error}`;
}

export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return String(value);
  return String(Number(value.toPrecision(4)));
}

/** `lr=0.001 layers=2`, shortened to a width. */
export function formatParams(params: Readonly<Record<string, unknown>>, width = Infinity): string {
  const text = Object.entries(params)
    .map(([name, value]) => `${name}=${typeof value === 'number' ? formatNumber(value) : String(value)}`)
    .join(' ');
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}
