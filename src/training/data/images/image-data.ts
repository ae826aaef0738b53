import * as z from 'zod';

import { UsageError } from '../../../core/errors.js';
import { canonicalJson } from '../../../core/json.js';
import type { DataConfig } from '../../../core/sweep-config.js';
import { DataCache, statOfPath } from '../data-cache.js';
import { partsSchema, type Part } from '../parts.js';
import { SCALINGS, type Scaler } from '../scaling.js';
import { joinValidation, splitRows, type Split } from '../split.js';
import { readCsvImages } from './csv-images.js';
import { readFolderImages } from './folder-images.js';
import { idxImagesIn, isIdxName, readIdxImages } from './idx-images.js';
import type { RawImages } from './raw-images.js';

const pixels = (text: string) => z.int().min(1).max(4096).optional().describe(text);

/** Keys of `data:` that trainers of images have beyond the common ones. */
export const imageDataSchema = z.strictObject({
  height: pixels('Height of the images in pixels; absent: as the first image has it, of a table the root of its columns.'),
  width: pixels('Width of the images in pixels; absent: as for the height.'),
  channels: z
    .union([z.literal(1), z.literal(3)])
    .optional()
    .describe('1: grey, 3: red, green, blue; absent: as the first image has it, of a table 1.'),
  scale: z
    .enum(SCALINGS)
    .default('minmax')
    .describe('Scaling of pixels: from 0 to 1, to mean 0 and deviation 1 per channel (of the training part), or none.'),
  ...partsSchema.shape,
});

export interface ImageData extends Omit<RawImages, 'fixed'> {
  readonly split: Split;
  /** Of each channel. */
  readonly scaler: Scaler;
}

const raws = new DataCache<Promise<RawImages>>(2);

/**
 * Reads images from a folder with a folder for each class (PNG, JPEG), from IDX files (one, or a folder of them), or from a table of
 * pixels; splits them, and learns their scaling from what is fitted on.
 * @throws UsageError naming the file at fault.
 */
export async function loadImageData(data: DataConfig, { fitOn, fold }: Part = {}): Promise<ImageData> {
  const options = imageDataSchema.parse(data.options);
  const { stamp, isFolder } = statOfPath(data.path);
  const key = canonicalJson([stamp, { ...data, header: data.header ?? null, version: null }]);
  const { fixed, ...raw } = await raws.get(key, async () => read(data, isFolder, options));
  const folds = fold === undefined ? undefined : options.folds;
  const labels = options.stratify ? raw.labels : undefined;
  const parts = splitRows(raw.labels.length, { ...data, folds, fold }, labels, fixed);
  const split = fitOn === 'train+validation' ? joinValidation(parts) : parts;
  return { ...raw, split, scaler: scalerOf(raw, split.train, options.scale) };
}

async function read(data: DataConfig, isFolder: boolean, size: z.output<typeof imageDataSchema>): Promise<RawImages> {
  const idx = isFolder ? idxImagesIn(data.path) : isIdxName(data.path) ? [data.path] : [];
  if (idx.length === 0) return isFolder ? readFolderImages(data.path, size) : readCsvImages(data, size);
  const images = readIdxImages(idx);
  for (const side of ['height', 'width', 'channels'] as const) {
    const wanted = size[side];
    if (wanted === undefined || wanted === images[side]) continue;
    throw new UsageError(`data.${side} is ${wanted}, but ${data.path} has images with a ${side} of ${images[side]}.`);
  }
  return images;
}

function scalerOf(
  { pixels, channels, height, width }: Omit<RawImages, 'fixed'>,
  rows: Int32Array,
  scale: (typeof SCALINGS)[number],
): Scaler {
  const size = height * width * channels;
  const offset = new Array<number>(channels).fill(0);
  const divisor = new Array<number>(channels).fill(1);
  if (scale === 'none') return { offset, divisor };
  if (scale === 'minmax') {
    let highest = 255;
    if (pixels instanceof Float32Array) {
      highest = 0;
      for (const row of rows) {
        for (let i = row * size; i < (row + 1) * size; i++) highest = Math.max(highest, Math.abs(pixels[i] ?? 0));
      }
    }
    return { offset, divisor: divisor.fill(highest > 0 ? highest : 1) };
  }
  for (let channel = 0; channel < channels; channel++) {
    let sum = 0;
    let squares = 0;
    for (const row of rows) {
      for (let i = row * size + channel; i < (row + 1) * size; i += channels) {
        const value = pixels[i] ?? 0;
        sum += value;
        squares += value * value;
      }
    }
    const count = rows.length * height * width;
    const mean = sum / count;
    offset[channel] = mean;
    divisor[channel] = Math.sqrt(Math.max(0, squares / count - mean * mean)) || 1;
  }
  return { offset, divisor };
}
