import { parseJson, type JsonValue } from '../core/json.js';

/** What one line of a command's output means. */
export type OutputLine =
  | { readonly kind: 'report'; readonly step: number; readonly value: number }
  | { readonly kind: 'result'; readonly result: Readonly<Record<string, JsonValue>> }
  | { readonly kind: 'checkpoint'; readonly path: string; readonly step: number }
  | { readonly kind: 'text' };

/**
 * Reads a line as one of our JSON forms: `{"step": 3, "value": 0.91}` is a report, an object without a step a result, anything else
 * plain text. Python's NaN and Infinity are understood.
 */
export function readOutputLine(line: string): OutputLine {
  const trimmed = line.trim();
  if (!trimmed.startsWith('{') || !trimmed.endsWith('}')) return { kind: 'text' };
  let document: JsonValue;
  try {
    document = parseJson(trimmed);
  } catch {
    return { kind: 'text' };
  }
  const record = document as Readonly<Record<string, JsonValue>>;
  const { step, value } = record;
  if (typeof record['checkpoint'] === 'string') {
    return { kind: 'checkpoint', path: record['checkpoint'], step: typeof step === 'number' ? step : 0 };
  }
  if (typeof step === 'number' && Number.isInteger(step) && step >= 0 && typeof value === 'number') {
    return { kind: 'report', step, value };
  }
  if (step === undefined && Object.values(record).some((entry) => typeof entry === 'number' || Array.isArray(entry))) {
    return { kind: 'result', result: record };
  }
  return { kind: 'text' };
}

/** The number that a last line consists of; undefined where it is none. */
export function readLastNumber(line: string): number | undefined {
  const trimmed = line.trim();
  if (/^[+-]?(inf|infinity)$/i.test(trimmed)) return trimmed.startsWith('-') ? -Infinity : Infinity;
  if (/^nan$/i.test(trimmed)) return NaN;
  return /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(trimmed) ? Number(trimmed) : undefined;
}

/** Cuts a stream into lines; a carriage return, with which progress bars draw, ends one too. `end` gives the rest. */
export class LineSplitter {
  readonly #onLine: (line: string) => void;
  #rest = '';

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  write(text: string): void {
    const lines = (this.#rest + text).split(/\r?\n|\r/);
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#onLine(line);
    // A line without end (a progress bar) must not fill the memory.
    if (this.#rest.length > 1_000_000) this.#rest = this.#rest.slice(-10_000);
  }

  end(): void {
    if (this.#rest !== '') this.#onLine(this.#rest);
    this.#rest = '';
  }
}
