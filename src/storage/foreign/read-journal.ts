import { closeSync, createReadStream, openSync, readSync } from 'node:fs';

import { messageOf, UsageError } from '../../core/errors.js';
import { parseJson, type JsonValue } from '../../core/json.js';
import type { ForeignStudies } from './foreign-studies.js';
import { JournalReplay } from './journal-replay.js';

/** Whether a file begins as a journal of Optuna (`JournalFileBackend`, before version 4 `JournalFileStorage`) does. */
export function isJournalFile(path: string): boolean {
  const head = Buffer.alloc(4096);
  const file = openSync(path, 'r');
  const read = readSync(file, head, 0, head.length, 0);
  closeSync(file);
  return /^\s*\{[^\n]*"op_code"\s*:/.test(head.toString('utf8', 0, read));
}

/**
 * Reads a journal from beginning to end, without its lock and without its snapshots (pickles, which only speed Python up). A last line
 * that was being written is passed over.
 * @throws UsageError that names the line where another one is damaged
 */
export async function readJournal(path: string): Promise<ForeignStudies> {
  const replay = new JournalReplay();
  const warnings: string[] = [];
  let damaged: { number: number; why: string } | undefined;
  let number = 0;
  for await (const { text, isWhole } of linesOf(path)) {
    number++;
    if (damaged !== undefined) throw damagedLine(path, damaged);
    if (text.trim() === '') continue;
    let entry: JsonValue;
    try {
      if (!isWhole) throw new SyntaxError('it ends without a line break');
      entry = parseJson(text);
      if (entry === null || typeof entry !== 'object' || Array.isArray(entry)) throw new SyntaxError('it is no object');
    } catch (error) {
      damaged = { number, why: messageOf(error) };
      continue;
    }
    try {
      replay.apply(entry as Readonly<Record<string, JsonValue>>, text);
    } catch (error) {
      throw damagedLine(path, { number, why: messageOf(error) });
    }
  }
  if (damaged !== undefined)
    warnings.push(`Line ${damaged.number}, the last one, is not whole (${damaged.why}) and was passed over.`);
  return { studies: replay.studies(), warnings };
}

function damagedLine(path: string, { number, why }: { number: number; why: string }): UsageError {
  return new UsageError(`${path}:${number}: this line of the journal cannot be read: ${why}.`, {
    code: 'DAMAGED_JOURNAL',
    hint: 'Remove the line from a copy of the file, and import the copy.',
  });
}

async function* linesOf(path: string): AsyncGenerator<{ text: string; isWhole: boolean }> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    let data: Buffer = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (let end = data.indexOf(10); end >= 0; end = data.indexOf(10)) {
      yield { text: data.toString('utf8', 0, end), isWhole: true };
      data = data.subarray(end + 1);
    }
    rest = data;
  }
  if (rest.length > 0) yield { text: rest.toString('utf8'), isWhole: false };
}
