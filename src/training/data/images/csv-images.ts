import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

import { UsageError } from '../../../core/errors.js';
import type { DataConfig } from '../../../core/sweep-config.js';
import { describeFeatures, encodeClasses, encodeFeatures, findColumn } from '../columns.js';
import { parseCsv, textOf } from '../csv-table.js';
import type { ImageSize, RawImages } from './raw-images.js';

/**
 * Images in a table: a row each, its columns the pixels row by row, and the class.
 * @throws UsageError where the columns are no image of the size.
 */
export function readCsvImages(data: DataConfig, size: ImageSize): RawImages {
  const bytes = readFileSync(data.path);
  const table = parseCsv(textOf(bytes, data.path), data);
  const target = findColumn(table, data.target, 'target');
  const ignored = data.ignore.map((wanted) => findColumn(table, wanted, 'ignore'));
  const columns = describeFeatures(table, new Set([target, ...ignored]));
  const words = columns.find((column) => column.kind !== 'number');
  if (words !== undefined) throw new UsageError(`${data.path}, column "${words.name}": pixels must be numbers.`);
  const channels = size.channels ?? 1;
  const side = Math.sqrt(columns.length / channels);
  const height = size.height ?? (size.width === undefined ? side : columns.length / channels / size.width);
  const width = size.width ?? columns.length / channels / height;
  if (!Number.isInteger(height) || !Number.isInteger(width) || height * width * channels !== columns.length) {
    throw new UsageError(
      `${data.path}: ${columns.length} columns of pixels are no image of ${size.height ?? '?'}×${size.width ?? '?'} pixels with ${channels} ${channels === 1 ? 'channel' : 'channels'}.`,
      { hint: 'Set data.height, data.width and data.channels; data.ignore leaves columns out.' },
    );
  }
  return {
    pixels: encodeFeatures(table, columns),
    height,
    width,
    channels,
    ...encodeClasses(table, target),
    fixed: {},
    contentHash: createHash('sha256').update(bytes).digest('hex'),
  };
}
