import { createRandom } from '../../../core/random.js';
import type { BatchSource } from '../../batches.js';
import { augmentImage, augments, type Augmentation } from './augmentation.js';
import type { ImageData } from './image-data.js';

/** Scaled images; in training changed at random where `augmentation` says so. */
export function imageBatches(
  data: Pick<ImageData, 'pixels' | 'height' | 'width' | 'channels' | 'scaler'>,
  augmentation: Augmentation,
): BatchSource {
  const { pixels, height, width, channels } = data;
  const { offset, divisor } = data.scaler;
  const size = height * width * channels;
  const original = new Float32Array(size);
  const isChanged = augments(augmentation);
  const read = (row: number, into: Float32Array | Int32Array, at: number): void => {
    for (let i = 0, channel = 0, from = row * size; i < size; i++) {
      into[at + i] = ((pixels[from + i] ?? 0) - (offset[channel] ?? 0)) / (divisor[channel] ?? 1);
      if (++channel === channels) channel = 0;
    }
  };
  return {
    shape: [height, width, channels],
    dtype: 'float32',
    fill: (rows, into, seed) => {
      if (seed === undefined || !isChanged || !(into instanceof Float32Array)) {
        rows.forEach((row, index) => {
          read(row, into, index * size);
        });
        return;
      }
      const random = createRandom(seed);
      rows.forEach((row, index) => {
        read(row, original, 0);
        augmentImage(original, into.subarray(index * size, (index + 1) * size), data, augmentation, random);
      });
    },
  };
}
