import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';

import { messageOf, UsageError } from '../../../core/errors.js';
import { fixedParts, partOfName } from '../part-names.js';
import type { RawImages } from './raw-images.js';

const IDX_NAME = /(idx\d[-.]ubyte|\.idx\d?)(\.gz)?$/i;

/** Whether a file has a name that the format usually has: `train-images-idx3-ubyte.gz`, `digits.idx3`. */
export function isIdxName(path: string): boolean {
  return IDX_NAME.test(basename(path));
}

/** Files of images in the format IDX that lie in a folder. */
export function idxImagesIn(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => isIdxName(name) && /images/i.test(name))
    .sort()
    .map((name) => join(folder, name));
}

/**
 * Reads images in the format IDX (Y. LeCun's, of MNIST), plain or packed with gzip, and the labels that lie beside each file under
 * the same name with `labels` for `images`. Files whose names begin with `t10k` or `test` are the test part.
 * @throws UsageError naming the file that is missing, damaged, or of another size.
 */
export function readIdxImages(paths: readonly string[]): RawImages {
  const hash = createHash('sha256');
  const files = paths.map((path) => {
    const images = readIdx(path, hash);
    const labels = readIdx(labelsBeside(path), hash);
    const [count = 0, height = 0, width = 0, channels = 1] = images.shape;
    if (images.shape.length < 3 || images.shape.length > 4)
      throw new UsageError(`${path} has ${images.shape.length} dimensions; images have 3 or 4.`);
    if (labels.shape.length !== 1 || labels.shape[0] !== count)
      throw new UsageError(`${path} has ${count} images, but ${labels.path} has ${labels.shape.join('×')} labels.`);
    return { path, count, size: [height, width, channels] as const, images, labels, part: partOfName(basename(path)) };
  });
  const [first] = files;
  if (first === undefined) throw new UsageError('There is no file of images.');
  const [height, width, channels] = first.size;
  for (const { path, size } of files) {
    if (size.join() === first.size.join()) continue;
    throw new UsageError(`${path} has images of ${size.join('×')}, but ${first.path} of ${first.size.join('×')}.`);
  }
  const raw = files.flatMap(({ labels }) => [...labels.values]);
  const distinct = [...new Set(raw)].sort((a, b) => a - b);
  const numbers = new Map(distinct.map((value, index) => [value, index]));
  return {
    pixels: Buffer.concat(files.map(({ images }) => images.values)),
    height,
    width,
    channels,
    labels: Int32Array.from(raw, (value) => numbers.get(value) ?? 0),
    classes: distinct.map(String),
    fixed: fixedParts(files.flatMap(({ count, part }) => Array.from({ length: count }, () => part))),
    contentHash: hash.digest('hex'),
  };
}

function labelsBeside(path: string): string {
  const name = basename(path)
    .replace(/images/i, (word) => (word === 'images' ? 'labels' : word.replace(/images/i, 'Labels')))
    .replace(/idx\d/i, 'idx1');
  const wanted = join(dirname(path), name);
  const other = wanted.endsWith('.gz') ? wanted.slice(0, -3) : `${wanted}.gz`;
  const found = [wanted, other].find((candidate) => candidate !== path && existsSync(candidate));
  if (found !== undefined) return found;
  throw new UsageError(`The labels of ${path} are missing: there is no ${name} beside it.`);
}

interface IdxArray {
  readonly path: string;
  readonly shape: readonly number[];
  readonly values: Uint8Array;
}

function readIdx(path: string, hash: ReturnType<typeof createHash>): IdxArray {
  const packed = readFileSync(path);
  hash.update(packed);
  let bytes: Buffer;
  try {
    bytes = packed[0] === 0x1f && packed[1] === 0x8b ? gunzipSync(packed) : packed;
  } catch (error) {
    throw new UsageError(`${path} is packed with gzip, but damaged or cut off (${messageOf(error)}).`, { cause: error });
  }
  const dimensions = bytes[3] ?? 0;
  const start = 4 + 4 * dimensions;
  if (bytes.length < start || bytes.readUInt16BE(0) !== 0) throw new UsageError(`${path} is no IDX file.`);
  if (bytes[2] !== 0x08) {
    throw new UsageError(`${path} holds values of type 0x${(bytes[2] ?? 0).toString(16)}; only bytes (0x08) are read.`);
  }
  const shape = Array.from({ length: dimensions }, (_, index) => bytes.readUInt32BE(4 + 4 * index));
  const expected = shape.reduce((product, n) => product * n, 1);
  if (bytes.length - start !== expected)
    throw new UsageError(`${path} is cut off or damaged: ${bytes.length - start} of ${expected} bytes.`);
  return { path, shape, values: bytes.subarray(start) };
}
