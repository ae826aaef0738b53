import { gunzipSync } from 'node:zlib';

import { UsageError } from '../../core/errors.js';

export interface CsvOptions {
  /** Of the file, for messages. */
  readonly path: string;
  readonly delimiter: string;
  readonly skipRows: number;
  /** Absent: the first line is a header where none of its fields is a number or empty. */
  readonly header?: boolean | undefined;
}

/** Cells of a file as text, all rows of the same length. */
export interface CsvTable {
  readonly path: string;
  /** From the header, else `column 0`, `column 1`, …. */
  readonly names: readonly string[];
  readonly hasHeader: boolean;
  readonly rows: readonly (readonly string[])[];
  /** Line of the file, from 1, on which each row begins. */
  readonly lines: readonly number[];
}

const MISSING = new Set(['', 'na', 'n/a', 'nan', 'null', 'none', '?']);

/** Whether a cell says that its value is not known. */
export function isMissing(cell: string): boolean {
  return MISSING.has(cell.toLowerCase());
}

/** The number that a cell holds, or undefined. */
export function numberIn(cell: string): number | undefined {
  if (cell === '') return undefined;
  const value = Number(cell);
  return Number.isFinite(value) ? value : undefined;
}

/** Text of a file's bytes, unpacked where they are gzip. @throws UsageError where the packed data is damaged. */
export function textOf(bytes: Buffer, path: string): string {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes.toString('utf8');
  try {
    return gunzipSync(bytes).toString('utf8');
  } catch (error) {
    throw new UsageError(`${path} is packed with gzip, but damaged or cut off.`, { cause: error });
  }
}

/**
 * Reads comma-separated text (RFC 4180: quoted fields may hold delimiters, doubled quotes and line breaks). Blank lines are left out.
 * @throws UsageError with file and line, where rows differ in length, a quote is not closed, or there is no row.
 */
export function parseCsv(text: string, options: CsvOptions): CsvTable {
  return tableOf(records(text, options), options);
}

/** The same for text without quoting: each line is a row, every quote a character of its cell. */
export function parseSeparated(text: string, options: CsvOptions): CsvTable {
  return tableOf(plainRecords(text, options), options);
}

interface CsvRecord {
  readonly cells: string[];
  readonly line: number;
}

function tableOf(found: Iterable<CsvRecord>, options: CsvOptions): CsvTable {
  const { path, skipRows } = options;
  const rows: string[][] = [];
  const lines: number[] = [];
  for (const { cells, line } of found) {
    if (line <= skipRows || (cells.length === 1 && cells[0] === '')) continue;
    rows.push(cells);
    lines.push(line);
  }
  const first = rows[0];
  if (first === undefined) {
    throw new UsageError(`${path} has no row${skipRows > 0 ? ` after the ${skipRows} that skip_rows leaves out` : ''}.`);
  }
  rows.forEach((row, index) => {
    if (row.length === first.length) return;
    throw new UsageError(
      `${path}, line ${lines[index] ?? 0}: ${count(row.length, 'column')}, but line ${lines[0] ?? 0} has ${first.length}.`,
      { hint: 'If the first line is not part of the table, set skip_rows: 1. Check the delimiter too.' },
    );
  });
  const hasHeader = options.header ?? first.every((cell) => numberIn(cell) === undefined && !isMissing(cell));
  const names = hasHeader ? first : first.map((_, index) => `column ${index}`);
  if (hasHeader) {
    rows.shift();
    lines.shift();
    const twice = names.find((name, index) => names.indexOf(name) < index);
    if (twice !== undefined) throw new UsageError(`${path}: two columns are called "${twice}".`);
    if (rows.length === 0) throw new UsageError(`${path} has a header, but no row.`);
  }
  return { path, names, hasHeader, rows, lines };
}

function* records(text: string, { delimiter, path, skipRows }: CsvOptions): Generator<CsvRecord> {
  let at = text.startsWith('\u{feff}') ? 1 : 0;
  for (let line = 1; at < text.length; line++) {
    const newline = text.indexOf('\n', at);
    let end = newline < 0 ? text.length : newline;
    const content = text.slice(at, text[end - 1] === '\r' ? end - 1 : end);
    if (line <= skipRows || !content.includes('"')) {
      yield { cells: content.split(delimiter).map((cell) => cell.trim()), line };
    } else {
      const quoted = quotedRecord(text, at, delimiter);
      if (quoted === undefined) throw new UsageError(`${path}, line ${line}: a quote is opened but never closed.`);
      yield { cells: quoted.cells, line };
      end = quoted.end;
      line += text.slice(at, end).split('\n').length - 1;
    }
    at = end + 1;
  }
}

function* plainRecords(text: string, { delimiter }: CsvOptions): Generator<CsvRecord> {
  const lines = text.replace(/^\u{feff}/u, '').split('\n');
  for (const [index, line] of lines.entries())
    yield { cells: line.replace(/\r$/, '').split(delimiter).map((cell) => cell.trim()), line: index + 1 };
}

/** One record with quotes, from `start` to the line break that ends it. */
function quotedRecord(text: string, start: number, delimiter: string): { cells: string[]; end: number } | undefined {
  const cells: string[] = [];
  let at = start;
  for (;;) {
    let cell: string;
    while (text[at] === ' ') at++;
    if (text[at] === '"') {
      const parts: string[] = [];
      do {
        const close = text.indexOf('"', at + 1);
        if (close < 0) return undefined;
        parts.push(text.slice(at + 1, close));
        at = close + 1;
      } while (text[at] === '"');
      cell = parts.join('"');
      while (at < text.length && text[at] !== delimiter && text[at] !== '\n') at++;
    } else {
      const from = at;
      while (at < text.length && text[at] !== delimiter && text[at] !== '\n') at++;
      cell = text.slice(from, at).trim();
    }
    cells.push(cell);
    if (text[at] !== delimiter) return { cells, end: at };
    at++;
  }
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}
