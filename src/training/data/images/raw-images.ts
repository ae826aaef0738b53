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
