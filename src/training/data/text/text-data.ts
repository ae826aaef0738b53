import * as z from 'zod';

import { canonicalJson } from '../../../core/json.js';
import type { DataConfig } from '../../../core/sweep-config.js';
import { DataCache, statOf } from '../data-cache.js';
import { partsSchema, type Part } from '../parts.js';
import { joinValidation, splitRows, type Split } from '../split.js';
import { readLabelledTexts, type LabelledTexts } from './text-table.js';

/** Keys of `data:` that trainers of texts have beyond the common ones. */
export const textDataSchema = z.strictObject({
  text: z
    .union([z.string().min(1), z.int().min(0)])
    .optional()
    .describe('Column or key of the text; absent: `text`, else the first that is not the target.'),
  ...partsSchema.shape,
});

export interface TextData extends LabelledTexts {
  readonly split: Split;
}

const tables = new DataCache<LabelledTexts>(2);

/** Reads texts with labels and splits them. @throws UsageError naming file and line at fault. */
export function loadTextData(data: DataConfig, { fitOn, fold }: Part = {}): TextData {
  const options = textDataSchema.parse(data.options);
  const { stamp } = statOf(data.path, 'This trainer reads one CSV, TSV or JSONL file, plain or packed with gzip.');
  const key = canonicalJson([stamp, { ...data, header: data.header ?? null, version: null }]);
  const table = tables.get(key, () => readLabelledTexts(data, options.text));
  const folds = fold === undefined ? undefined : options.folds;
  const labels = options.stratify ? table.labels : undefined;
  const parts = splitRows(table.texts.length, { ...data, folds, fold }, labels);
  return { ...table, split: fitOn === 'train+validation' ? joinValidation(parts) : parts };
}
