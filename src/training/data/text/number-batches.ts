import { createRandom } from '../../../core/random.js';
import type { BatchSource } from '../../batches.js';
import { PADDING, UNKNOWN } from './vocabulary.js';

export interface NumberBatchesOptions {
  /** Rows × width. */
  readonly numbers: Int32Array;
  readonly width: number;
  /** Share of the words that training does not see, each time other ones: they become unknown. */
  readonly wordDropout: number;
  /** Every how manieth number is a word; the others are never left out. */
  readonly every: number;
}

/** Texts as numbers of words; in training some words are left out. */
export function numberBatches({ numbers, width, wordDropout, every }: NumberBatchesOptions): BatchSource {
  return {
    shape: [width],
    dtype: 'int32',
    fill: (rows, into, seed) => {
      rows.forEach((row, index) => {
        into.set(numbers.subarray(row * width, (row + 1) * width), index * width);
      });
      if (seed === undefined || wordDropout === 0) return;
      const random = createRandom(seed);
      for (let i = 0; i < into.length; i += every) {
        if (into[i] !== PADDING && random.uniform() < wordDropout) into[i] = UNKNOWN;
      }
    },
  };
}
