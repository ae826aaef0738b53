import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import * as z from 'zod';

import { messageOf, UsageError } from '../../core/errors.js';
import { canonicalJson } from '../../core/json.js';
import type { DataConfig } from '../../core/sweep-config.js';
import { describeFeatures, encodeClasses, encodeFeatures, encodeNumbers, findColumn, widthOf, type FeatureColumn } from './columns.js';
import { parseCsv, textOf } from './csv-table.js';
import { applyScaler, fitScaler, SCALINGS, type Scaler } from './scaling.js';
import { splitRows, type Split } from './split.js';

/** Keys of `data:` that trainers of tables have beyond the common ones. */
export const tabularDataSchema = z.strictObject({
  scale: z
    .enum(SCALINGS)
    .default('standard')
    .describe('Scaling of features, learnt from the training part: mean 0 and deviation 1, to 0..1, or none.'),
  stratify: z.boolean().default(true).describe('Whether all parts have the classes in the same proportions.'),
});

interface BaseData {
  /** Rows × features, scaled, row by row. */
  readonly features: Float32Array;
  readonly width: number;
  readonly split: Split;
  readonly columns: readonly FeatureColumn[];
  readonly scaler: Scaler;
  /** SHA-256 of the file, in hexadecimal. */
  readonly contentHash: string;
}

export interface ClassificationData extends BaseData {
  readonly task: 'classification';
  readonly classes: readonly string[];
  /** Class of each row. */
  readonly labels: Int32Array;
}

export interface RegressionData extends BaseData {
  readonly task: 'regression';
  /** Scaled; `targetScaler` has one column. */
  readonly targets: Float32Array;
  readonly targetScaler: Scaler;
}

export type TabularData = ClassificationData | RegressionData;
type FitOn = 'train' | 'train+validation';

/** Prepared tables of this process, the most recently used last: trials of one sweep share theirs. */
const cache = new Map<string, TabularData>();
const MOST_CACHED = 4;

/**
 * Reads a table, splits it and scales it by what is fitted on. With `train+validation` both become the training part.
 * Kept in memory while the file has the same size and modification time.
 * @throws UsageError naming the file, and the line and column where one is at fault.
 */
export function loadTabularData<T extends TabularData['task']>(
  task: T,
  data: DataConfig,
  fitOn: FitOn = 'train',
): Extract<TabularData, { task: T }> {
  const { size, mtimeMs } = statOf(data.path);
  const key = canonicalJson([task, fitOn, size, mtimeMs, { ...data, header: data.header ?? null, version: null }]);
  const found = cache.get(key) ?? prepare(task, data, fitOn);
  cache.delete(key);
  cache.set(key, found);
  for (const oldest of cache.keys()) {
    if (cache.size <= MOST_CACHED) break;
    cache.delete(oldest);
  }
  return found as Extract<TabularData, { task: T }>;
}

function statOf(path: string): { size: number; mtimeMs: number } {
  try {
    const stat = statSync(path);
    if (stat.isFile()) return stat;
  } catch (error) {
    throw new UsageError(`data.path: ${path} cannot be read (${messageOf(error)}).`, { cause: error });
  }
  throw new UsageError(`data.path: ${path} is no file.`, { hint: 'This trainer reads one CSV file, plain or packed with gzip.' });
}

function prepare(task: TabularData['task'], data: DataConfig, fitOn: FitOn): TabularData {
  const options = tabularDataSchema.parse(data.options);
  const bytes = readFileSync(data.path);
  const table = parseCsv(textOf(bytes, data.path), data);
  const target = findColumn(table, data.target, 'target');
  const ignored = data.ignore.map((wanted) => findColumn(table, wanted, 'ignore'));
  if (ignored.includes(target)) throw new UsageError(`data.ignore leaves out the target, column "${table.names[target] ?? ''}".`);
  const columns = describeFeatures(table, new Set([target, ...ignored]));
  const width = widthOf(columns);
  if (width === 0) throw new UsageError(`${data.path} has no column left as a feature.`);
  const encoded = task === 'classification' ? encodeClasses(table, target) : undefined;
  const parts = splitRows(table.rows.length, data, options.stratify ? encoded?.labels : undefined);
  const split = fitOn === 'train' ? parts : joinValidation(parts);
  const raw = encodeFeatures(table, columns);
  const isNumber = columns.flatMap((column) =>
    column.kind === 'number' ? [true] : column.categories.map(() => false),
  );
  const scaler = fitScaler(raw, width, split.train, options.scale, (column) => isNumber[column] === true);
  const base: BaseData = {
    features: applyScaler(raw, width, scaler),
    width,
    split,
    columns,
    scaler,
    contentHash: createHash('sha256').update(bytes).digest('hex'),
  };
  if (encoded !== undefined) return { ...base, task: 'classification', ...encoded };
  const values = encodeNumbers(table, target);
  const targetScaler = fitScaler(values, 1, split.train, 'standard');
  return { ...base, task: 'regression', targets: applyScaler(values, 1, targetScaler), targetScaler };
}

function joinValidation({ train, validation, test }: Split): Split {
  return { train: Int32Array.from([...train, ...validation]).sort(), validation: new Int32Array(0), test };
}
