import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

import { UsageError } from '../../../core/errors.js';
import { nearestName } from '../../../core/nearest-name.js';
import type { DataConfig } from '../../../core/sweep-config.js';
import { encodeClasses, findColumn } from '../columns.js';
import { parseCsv, parseSeparated, textOf, type CsvTable } from '../csv-table.js';

/** Texts and their classes, as read. */
export interface LabelledTexts {
  readonly texts: readonly string[];
  readonly labels: Int32Array;
  readonly classes: readonly string[];
  readonly contentHash: string;
}

/**
 * Reads texts with a label each: a table (`.csv`; `.tsv`: a tab between columns, quotes are part of the text), or JSON lines
 * (`.jsonl`), each plain or packed with gzip. `text` names the column or key; absent: `text`, else the first that is not the target.
 * @throws UsageError with file and line where one is at fault.
 */
export function readLabelledTexts(data: DataConfig, text: string | number | undefined): LabelledTexts {
  const bytes = readFileSync(data.path);
  const content = textOf(bytes, data.path);
  const contentHash = createHash('sha256').update(bytes).digest('hex');
  const name = data.path.replace(/\.gz$/i, '');
  const table = /\.(jsonl|ndjson)$/i.test(name)
    ? jsonLines(content, data.path)
    : /\.(tsv|tab)$/i.test(name)
      ? parseSeparated(content, { ...data, delimiter: '\t', path: data.path })
      : parseCsv(content, data);
  const target = targetColumn(table, data.target);
  const column = text === undefined ? defaultTextColumn(table, target) : findColumn(table, text, 'text');
  if (column === target) throw new UsageError(`data.text and data.target are both column "${table.names[column] ?? ''}".`);
  const texts = table.rows.map((row) => row[column] ?? '');
  const empty = texts.indexOf('');
  if (empty >= 0) throw new UsageError(`${data.path}, line ${table.lines[empty] ?? 0}: the text is empty.`);
  return { texts, ...encodeClasses(table, target), contentHash };
}

/** `last`, the default, is `label` where there is such a column. */
function targetColumn(table: CsvTable, target: string | number): number {
  const named = target === 'last' && table.hasHeader ? table.names.indexOf('label') : -1;
  return named >= 0 ? named : findColumn(table, target, 'target');
}

function defaultTextColumn(table: CsvTable, target: number): number {
  const named = table.hasHeader ? table.names.indexOf('text') : -1;
  if (named >= 0 && named !== target) return named;
  const other = table.names.findIndex((_, index) => index !== target);
  if (other >= 0) return other;
  throw new UsageError(`${table.path} has one column only; a text and a label are needed.`);
}

/** One JSON object a line; its keys are the columns. */
function jsonLines(content: string, path: string): CsvTable {
  const objects: Readonly<Record<string, unknown>>[] = [];
  const lines: number[] = [];
  content.split('\n').forEach((line, index) => {
    if (line.trim() === '') return;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch (error) {
      throw new UsageError(`${path}, line ${index + 1}: this is no JSON.`, { cause: error });
    }
    if (value === null || typeof value !== 'object' || Array.isArray(value))
      throw new UsageError(`${path}, line ${index + 1}: an object such as {"text": "…", "label": "…"} is expected.`);
    objects.push(value as Readonly<Record<string, unknown>>);
    lines.push(index + 1);
  });
  const names = Object.keys(objects[0] ?? {});
  if (names.length === 0) throw new UsageError(`${path} has no row.`);
  const rows = objects.map((object, index) =>
    names.map((name) => {
      const value = object[name];
      if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value).trim();
      const near = nearestName(name, Object.keys(object));
      throw new UsageError(`${path}, line ${lines[index] ?? 0}: "${name}" is missing, or no text or number.`, {
        ...(near === undefined || value !== undefined ? {} : { hint: `Is "${near}" meant?` }),
      });
    }),
  );
  return { path, names, hasHeader: true, rows, lines };
}
