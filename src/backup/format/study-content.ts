import { createHash } from 'node:crypto';

import type { StudyFileReport } from '../../core/snapshot-source.js';
import type { StudyContent } from './manifest.js';

/** `[0, 1, 2, 5]` → `"0-2,5"`. */
export function toRanges(numbers: Iterable<number>): string {
  const parts: string[] = [];
  let start: number | undefined;
  let end = 0;
  const close = (): void => {
    if (start !== undefined) parts.push(start === end ? String(start) : `${start}-${end}`);
  };
  for (const number of [...numbers].sort((a, b) => a - b)) {
    if (start !== undefined && number <= end + 1) {
      end = Math.max(end, number);
      continue;
    }
    close();
    start = number;
    end = number;
  }
  close();
  return parts.join(',');
}

/** The reverse of `toRanges`, ascending. */
export function* fromRanges(ranges: string): Generator<number> {
  for (const part of ranges === '' ? [] : ranges.split(',')) {
    const [first = '', last = first] = part.split('-');
    for (let number = Number(first); number <= Number(last); number++) yield number;
  }
}

function digestOf(numbers: Iterable<number>, digests: ReadonlyMap<number, string>): string | undefined {
  const hash = createHash('sha256');
  for (const number of numbers) {
    const digest = digests.get(number);
    if (digest === undefined) return undefined;
    hash.update(`${number}:${digest}\n`);
  }
  return hash.digest('hex');
}

/** What a manifest says about the study in a file. */
export function studyContent(report: StudyFileReport): StudyContent {
  const numbers = [...report.trialDigests.keys()].sort((a, b) => a - b);
  return {
    name: report.studyName ?? null,
    finished: numbers.length,
    numbers: toRanges(numbers),
    digest: digestOf(numbers, report.trialDigests) ?? '',
    best: report.best !== undefined && Number.isFinite(report.best) ? report.best : null,
  };
}

/** Whether a state holds every finished trial that a manifest describes, with the same content. */
export function containsStudy(digests: ReadonlyMap<number, string>, study: StudyContent): boolean {
  if (study.finished > digests.size) return false;
  return digestOf(fromRanges(study.numbers), digests) === study.digest;
}
