import type { FixedParts } from '../split.js';

/** Images as they were read: images × rows × columns × channels. */
export interface RawImages {
  readonly pixels: Uint8Array | Float32Array;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** Number of each image's class. */
  readonly labels: Int32Array;
  readonly classes: readonly string[];
  /** Parts that the data came in. */
  readonly fixed: FixedParts;
  /** SHA-256 of everything that was read, in hexadecimal. */
  readonly contentHash: string;
}

/** Size that is asked for; absent: as the images have it. */
export interface ImageSize {
  readonly height?: number | undefined;
  readonly width?: number | undefined;
  readonly channels?: number | undefined;
}

/** The part that a folder or file belongs to by its name: `train…`, `val…`, `dev…`, `test…`, `t10k…`. */
export function partOfName(name: string): 'train' | 'validation' | 'test' | undefined {
  if (/^train/i.test(name)) return 'train';
  if (/^(val|dev|testa$)/i.test(name)) return 'validation';
  return /^(test|t10k)/i.test(name) ? 'test' : undefined;
}

/** Rows by part, those of the training part left out: it is whatever is in no other. */
export function fixedParts(parts: readonly ('train' | 'validation' | 'test' | undefined)[]): FixedParts {
  const rowsOf = (part: string): Int32Array | undefined => {
    const rows = parts.flatMap((own, row) => (own === part ? [row] : []));
    return rows.length === 0 ? undefined : Int32Array.from(rows);
  };
  return { validation: rowsOf('validation'), test: rowsOf('test') };
}
