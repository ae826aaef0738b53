import { UsageError } from '../../core/errors.js';
import { createRandom, mixSeed } from '../../core/random.js';

/** Row numbers of each part, ascending. Together they are all rows, each once. */
export interface Split {
  readonly train: Int32Array;
  readonly validation: Int32Array;
  readonly test: Int32Array;
}

export interface SplitOptions {
  /** Shares of all rows. */
  readonly validation: number;
  readonly test: number;
  readonly seed: number;
}

/**
 * Splits rows by a seed. With `labels`, each part has the classes in the proportions of the whole, to within one row.
 * @throws UsageError where a part that is asked for would get no row.
 */
export function splitRows(rows: number, options: SplitOptions, labels?: Int32Array): Split {
  const counts = { test: Math.round(rows * options.test), validation: Math.round(rows * options.validation) };
  const left = rows - counts.test - counts.validation;
  const empty = (share: number, n: number): boolean => share > 0 && n === 0;
  if (left < 1 || empty(options.test, counts.test) || empty(options.validation, counts.validation)) {
    throw new UsageError(
      `${rows} rows cannot be split into test ${options.test} and validation ${options.validation}: that gives ${counts.test} and ${counts.validation} rows and leaves ${left} for training.`,
    );
  }
  const groups = labels === undefined ? [Array.from({ length: rows }, (_, row) => row)] : groupByLabel(labels);
  groups.forEach((group, index) => createRandom(mixSeed(options.seed, 'split', index)).shuffle(group));
  const test = take(groups, counts.test);
  const validation = take(groups, counts.validation);
  return { test, validation, train: Int32Array.from(groups.flat()).sort() };
}

function groupByLabel(labels: Int32Array): number[][] {
  const groups: number[][] = [];
  labels.forEach((label, row) => (groups[label] ??= []).push(row));
  return Object.values(groups);
}

/** Removes `total` rows from the ends of the groups, in proportion to their sizes (largest remainders get the odd rows). */
function take(groups: number[][], total: number): Int32Array {
  const size = groups.reduce((sum, group) => sum + group.length, 0);
  const exact = groups.map((group) => (group.length * total) / size);
  const counts = exact.map((value) => Math.floor(value));
  const missing = total - counts.reduce((sum, n) => sum + n, 0);
  const byRemainder = groups.map((_, index) => index);
  byRemainder.sort((a, b) => remainder(exact[b]) - remainder(exact[a]) || a - b);
  for (const index of byRemainder.slice(0, missing)) counts[index] = (counts[index] ?? 0) + 1;
  return Int32Array.from(groups.flatMap((group, index) => group.splice(group.length - (counts[index] ?? 0)))).sort();
}

function remainder(value: number | undefined): number {
  return (value ?? 0) % 1;
}
