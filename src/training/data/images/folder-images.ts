import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Sharp } from 'sharp';

import { messageOf, UsageError } from '../../../core/errors.js';
import { loadOptional } from '../../../core/optional-package.js';
import { fixedParts, partOfName } from '../part-names.js';
import type { ImageSize, RawImages } from './raw-images.js';

const IMAGE = /\.(png|jpe?g|webp|gif|tiff?|avif)$/i;
/** Images that are decoded at once. */
const AT_ONCE = 16;

interface ImageFile {
  readonly path: string;
  readonly label: string;
  readonly part: ReturnType<typeof partOfName>;
}

/**
 * Reads a folder with a folder of images for each class, or with folders `train`, `val` and `test` of such folders. Images are
 * brought to one size: the one asked for, else that of the first.
 * @throws UsageError naming what is missing, or the image that cannot be read.
 */
export async function readFolderImages(folder: string, size: ImageSize): Promise<RawImages> {
  const files = imageFiles(folder);
  const classes = [...new Set(files.map(({ label }) => label))].sort(byNumberOrName);
  if (classes.length < 2) {
    throw new UsageError(
      files.length === 0
        ? `${folder} holds no images: a folder for each class is expected, with PNG or JPEG files in it.`
        : `${folder} holds one class only ("${classes[0] ?? ''}"), so there is nothing to learn.`,
    );
  }
  const { default: sharp } = await loadOptional('sharp', 'Reading PNG and JPEG images', () => import('sharp'));
  const open = (path: string): Sharp => sharp(readFileSync(path), { failOn: 'error' });
  const first = await decoded(files[0]?.path ?? folder, async (path) => open(path).metadata());
  const height = size.height ?? first.height;
  const width = size.width ?? first.width;
  const channels = size.channels ?? (first.space === 'b-w' ? 1 : 3);
  const pixels = new Uint8Array(files.length * height * width * channels);
  const hash = createHash('sha256');
  for (let start = 0; start < files.length; start += AT_ONCE) {
    const part = files.slice(start, start + AT_ONCE);
    const images = await Promise.all(
      part.map(({ path }) =>
        decoded(path, async () => {
          const image = open(path).rotate().flatten().resize(width, height, { fit: 'fill' });
          return (channels === 1 ? image.toColourspace('b-w') : image.toColourspace('srgb')).raw().toBuffer();
        }),
      ),
    );
    images.forEach((image, index) => {
      const { path, label } = part[index] ?? { path: '', label: '' };
      if (image.length !== height * width * channels)
        throw new UsageError(`${path} gave ${image.length} values, not ${height}×${width}×${channels}.`);
      pixels.set(image, (start + index) * image.length);
      hash.update(`${label}\0`).update(image);
    });
  }
  const numbers = new Map(classes.map((name, index) => [name, index]));
  return {
    pixels,
    height,
    width,
    channels,
    labels: Int32Array.from(files, ({ label }) => numbers.get(label) ?? 0),
    classes,
    fixed: fixedParts(files.map(({ part }) => part)),
    contentHash: hash.digest('hex'),
  };
}

function imageFiles(folder: string): ImageFile[] {
  const names = foldersIn(folder);
  const isParted = names.includes('train') && names.every((name) => partOfName(name) !== undefined);
  if (!isParted) return ofClasses(folder, undefined);
  return names.flatMap((name) => ofClasses(join(folder, name), partOfName(name)));
}

function ofClasses(folder: string, part: ImageFile['part']): ImageFile[] {
  return foldersIn(folder).flatMap((label) =>
    readdirSync(join(folder, label), { withFileTypes: true, recursive: true })
      .filter((entry) => entry.isFile() && IMAGE.test(entry.name) && !entry.name.startsWith('.'))
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
      .map((path) => ({ path, label, part })),
  );
}

function foldersIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map((entry) => entry.name)
    .sort();
}

function byNumberOrName(a: string, b: string): number {
  const difference = Number(a) - Number(b);
  if (!Number.isNaN(difference) && difference !== 0) return difference;
  return a < b ? -1 : a > b ? 1 : 0;
}

async function decoded<T>(path: string, read: (path: string) => Promise<T>): Promise<T> {
  try {
    return await read(path);
  } catch (error) {
    throw new UsageError(`${path} cannot be read as an image (${messageOf(error)}).`, { cause: error });
  }
}
