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
  /** For k-fold: what is not for the test is dealt into this many folds, and `fold` (from 0) is the validation part. */
  readonly folds?: number | undefined;
  readonly fold?: number | undefined;
}

/** Rows that belong to a part by themselves, because the data came in parts. */
export interface FixedParts {
  readonly validation?: Int32Array | undefined;
  readonly test?: Int32Array | undefined;
}

/**
 * Splits rows by a seed. With `labels`, each part has the classes in the proportions of the whole, to within one row. Parts that
 * are fixed stay as they are; their shares are not looked at.
 * @throws UsageError where a part that is asked for would get no row.
 */
export function splitRows(rows: number, options: SplitOptions, labels?: Int32Array, fixed: FixedParts = {}): Split {
  const { folds, fold = 0 } = options;
  const set = new Set([...(fixed.test ?? []), ...(fixed.validation ?? [])]);
  const loose = Int32Array.from({ length: rows }, (_, row) => row).filter((row) => !set.has(row));
  const isDealt = folds !== undefined && fixed.validation === undefined;
  const counts = {
    test: fixed.test === undefined ? Math.round(loose.length * options.test) : 0,
    validation: fixed.validation === undefined && !isDealt ? Math.round(loose.length * options.validation) : 0,
  };
  const left = loose.length - counts.test - counts.validation;
  const empty = (share: number, n: number, isFixed: boolean): boolean => !isFixed && share > 0 && n === 0;
  if (
    left < (isDealt ? folds : 1) ||
    empty(options.test, counts.test, fixed.test !== undefined) ||
    empty(options.validation, counts.validation, fixed.validation !== undefined || isDealt)
  ) {
    const parts = isDealt ? `${folds} folds` : `validation ${options.validation}`;
    throw new UsageError(
      `${rows} rows cannot be split into test ${options.test} and ${parts}: that gives ${counts.test} and ${counts.validation} rows and leaves ${left} for training.`,
    );
  }
  const groups = labels === undefined ? [[...loose]] : groupByLabel(loose, labels);
  groups.forEach((group, index) => createRandom(mixSeed(options.seed, 'split', index)).shuffle(group));
  const test = fixed.test ?? take(groups, counts.test);
  if (isDealt) {
    // One after the other round the table: folds differ by one row at most, and so does each class within them.
    const all = groups.flat();
    const isValidation = (index: number): boolean => index % folds === fold;
    return {
      test,
      validation: Int32Array.from(all.filter((_, index) => isValidation(index))).sort(),
      train: Int32Array.from(all.filter((_, index) => !isValidation(index))).sort(),
    };
  }
  const validation = fixed.validation ?? take(groups, counts.validation);
  return { test, validation, train: Int32Array.from(groups.flat()).sort() };
}

/** With the validation part joined to the training part, for a final training. */
export function joinValidation({ train, validation, test }: Split): Split {
  return { train: Int32Array.from([...train, ...validation]).sort(), validation: new Int32Array(0), test };
}

function groupByLabel(rows: Int32Array, labels: Int32Array): number[][] {
  const groups: number[][] = [];
  for (const row of rows) (groups[labels[row] ?? 0] ??= []).push(row);
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
