import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import * as z from 'zod';

import { UsageError } from '../../core/errors.js';
import { canonicalJson } from '../../core/json.js';
import type { DataConfig } from '../../core/sweep-config.js';
import { describeFeatures, encodeClasses, encodeFeatures, encodeNumbers, findColumn, widthOf, type FeatureColumn } from './columns.js';
import { parseCsv, textOf, type CsvTable } from './csv-table.js';
import { applyScaler, fitScaler, SCALINGS, type Scaler } from './scaling.js';
import { DataCache, statOf } from './data-cache.js';
import { joinValidation, splitRows, type Split } from './split.js';
import { partsSchema, type Part } from './parts.js';

/** Keys of `data:` that trainers of tables have beyond the common ones. */
export const tabularDataSchema = z.strictObject({
  scale: z
    .enum(SCALINGS)
    .default('standard')
    .describe('Scaling of features, learnt from the training part: mean 0 and deviation 1, to 0..1, or none.'),
  ...partsSchema.shape,
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

/** Tables, and what was prepared of them for trials: those of one sweep share theirs. */
const tables = new DataCache<{ table: CsvTable; contentHash: string }>(2);
const prepared = new DataCache<TabularData>(12);

/**
 * Reads a table, splits it and scales it by what is fitted on. With `train+validation` both become the training part.
 * Kept in memory while the file has the same size and modification time.
 * @throws UsageError naming the file, and the line and column where one is at fault.
 */
export function loadTabularData<T extends TabularData['task']>(
  task: T,
  data: DataConfig,
  part: Part = {},
): Extract<TabularData, { task: T }> {
  const file = statOf(data.path, 'This trainer reads one CSV file, plain or packed with gzip.');
  const key = canonicalJson([file.stamp, { ...data, header: data.header ?? null, version: null }]);
  const found = prepared.get(canonicalJson([task, part.fitOn ?? null, part.fold ?? null, key]), () =>
    prepare(
      task,
      data,
      tables.get(key, () => readTable(data)),
      part,
    ),
  );
  return found as Extract<TabularData, { task: T }>;
}

function readTable(data: DataConfig): { table: CsvTable; contentHash: string } {
  const bytes = readFileSync(data.path);
  const contentHash = createHash('sha256').update(bytes).digest('hex');
  return { table: parseCsv(textOf(bytes, data.path), data), contentHash };
}

function prepare(
  task: TabularData['task'],
  data: DataConfig,
  { table, contentHash }: { table: CsvTable; contentHash: string },
  { fitOn = 'train', fold }: Part,
): TabularData {
  const options = tabularDataSchema.parse(data.options);
  const target = findColumn(table, data.target, 'target');
  const ignored = data.ignore.map((wanted) => findColumn(table, wanted, 'ignore'));
  if (ignored.includes(target)) throw new UsageError(`data.ignore leaves out the target, column "${table.names[target] ?? ''}".`);
  const columns = describeFeatures(table, new Set([target, ...ignored]));
  const width = widthOf(columns);
  if (width === 0) throw new UsageError(`${data.path} has no column left as a feature.`);
  const encoded = task === 'classification' ? encodeClasses(table, target) : undefined;
  const folds = fold === undefined ? undefined : options.folds;
  const parts = splitRows(table.rows.length, { ...data, folds, fold }, options.stratify ? encoded?.labels : undefined);
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
    contentHash,
  };
  if (encoded !== undefined) return { ...base, task: 'classification', ...encoded };
  const values = encodeNumbers(table, target);
  const targetScaler = fitScaler(values, 1, split.train, 'standard');
  return { ...base, task: 'regression', targets: applyScaler(values, 1, targetScaler), targetScaler };
}
