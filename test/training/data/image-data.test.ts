import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';

import { createRandom } from '../../../src/core/random.js';
import { augmentationSettings, augmentImage, augments } from '../../../src/training/data/images/augmentation.js';
import { imageBatches } from '../../../src/training/data/images/image-batches.js';
import { loadImageData, type ImageData } from '../../../src/training/data/images/image-data.js';
import { cnnClassifier } from '../../../src/training/trainers/cnn-classifier.js';
import { dataFile, dataOf, RecordingContext, temporaryFolder } from '../training-support.js';

let digits: ImageData;

beforeAll(async () => {
  digits = await loadImageData(dataOf(dataFile('digits.csv.gz')));
});

/** The first digits as bytes from 0 to 255. */
function grey(count: number): Uint8Array {
  return Uint8Array.from(digits.pixels.subarray(0, count * 64), (value) => Math.round((value * 255) / 16));
}

function idx(shape: readonly number[], values: Uint8Array): Buffer {
  const head = Buffer.alloc(4 + 4 * shape.length);
  head.set([0, 0, 8, shape.length]);
  shape.forEach((size, index) => head.writeUInt32BE(size, 4 + 4 * index));
  return Buffer.concat([head, values]);
}

function writeIdx(folder: string, prefix: string, first: number, count: number, pack = false): void {
  const write = (name: string, bytes: Buffer): void =>
    writeFileSync(join(folder, pack ? `${name}.gz` : name), pack ? gzipSync(bytes) : bytes);
  const images = grey(first + count).subarray(first * 64);
  write(`${prefix}-images-idx3-ubyte`, idx([count, 8, 8], images));
  const labels = Uint8Array.from(digits.labels.subarray(first, first + count));
  write(`${prefix}-labels-idx1-ubyte`, idx([count], labels));
}

async function writePictures(folder: string, count: number, extension: 'png' | 'jpg', first = 0): Promise<void> {
  const pixels = grey(first + count);
  for (let row = first; row < first + count; row++) {
    const label = join(folder, String(digits.labels[row]));
    mkdirSync(label, { recursive: true });
    const raw = { raw: { width: 8, height: 8, channels: 1 as const } };
    const image = sharp(pixels.subarray(row * 64, (row + 1) * 64), raw).toColourspace('b-w');
    const name = join(label, `${String(row).padStart(4, '0')}.${extension}`);
    await (extension === 'png' ? image.png() : image.jpeg({ quality: 100 })).toFile(name);
  }
}

describe('image data', () => {
  it('reads a table of pixels as square images, scaled to 1', () => {
    expect(digits).toMatchObject({ height: 8, width: 8, channels: 1, scaler: { offset: [0], divisor: [16] } });
    expect(digits.classes).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
    expect([digits.split.train.length, digits.split.validation.length, digits.split.test.length]).toEqual([
      1079, 359, 359,
    ]);
  });

  it('reads IDX files, packed or not, with the test part that they come with', async () => {
    const folder = temporaryFolder();
    writeIdx(folder, 'train', 0, 60, true);
    writeIdx(folder, 't10k', 60, 20);
    const data = await loadImageData(dataOf(folder));
    expect(data).toMatchObject({ height: 8, width: 8, channels: 1, scaler: { offset: [0], divisor: [255] } });
    // Files in the order of their names: t10k before train.
    expect([...data.split.test]).toEqual(Array.from({ length: 20 }, (_, row) => row));
    expect(data.split.validation).toHaveLength(12);
    expect([...data.pixels.subarray(20 * 64)]).toEqual([...grey(60)]);
    const single = await loadImageData(dataOf(join(folder, 'train-images-idx3-ubyte.gz')));
    expect([...single.labels]).toEqual([...digits.labels.subarray(0, 60)]);
  });

  it('reads folders of PNG and JPEG, one for each class', async () => {
    const [png, jpeg, coloured] = [temporaryFolder(), temporaryFolder(), temporaryFolder()];
    await writePictures(png, 40, 'png');
    await writePictures(jpeg, 40, 'jpg');
    await writePictures(join(coloured, 'train'), 30, 'png');
    await writePictures(join(coloured, 'test'), 20, 'png', 30);
    const exact = await loadImageData(dataOf(png));
    expect(exact).toMatchObject({ height: 8, width: 8, channels: 1, classes: digits.classes });
    const sums = (pixels: ArrayLike<number>): number => Array.from(pixels).reduce((sum, value) => sum + value, 0);
    expect(sums(exact.pixels)).toBe(sums(grey(40)));
    const near = await loadImageData(dataOf(jpeg));
    expect(Math.abs(sums(near.pixels) / sums(grey(40)) - 1)).toBeLessThan(0.02);
    const parted = await loadImageData(dataOf(coloured, { options: { height: 6, width: 5, channels: 3 } }));
    expect(parted).toMatchObject({ height: 6, width: 5, channels: 3 });
    expect(parted.pixels).toHaveLength(50 * 6 * 5 * 3);
    expect(parted.split.test).toHaveLength(20);
  });

  it('trains the same on all of them, to what the pixels allow', async () => {
    const folder = temporaryFolder();
    await writePictures(folder, 200, 'png');
    const context = new RecordingContext({ epochs: 15, learning_rate: 0.01, filters: 8, units: 32 });
    const { values } = await cnnClassifier.train(
      {
        trainer: 'cnn-classifier',
        settings: {},
        data: dataOf(folder),
        backend: 'wasm',
        metrics: [{ name: 'val_auc', goal: 'maximize' }],
      },
      context,
    );
    expect(values['val_auc']).toBeGreaterThan(0.9);
  });

  it('names the file at fault', async () => {
    const fails = async (path: string, options = {}) => expect(loadImageData(dataOf(path, { options }))).rejects;
    await (await fails(dataFile('digits.csv.gz'), { height: 7 })).toThrow(/64 columns of pixels are no image of 7×\?/);
    await (await fails('/nowhere')).toThrow(/\/nowhere cannot be read/);
    const empty = temporaryFolder();
    await (await fails(empty)).toThrow(/holds no images: a folder for each class/);
    const broken = temporaryFolder();
    await writePictures(broken, 20, 'png');
    writeFileSync(join(broken, '3', 'broken.png'), 'no image');
    await (await fails(broken)).toThrow(/broken\.png cannot be read as an image/);
    const cut = temporaryFolder();
    writeIdx(cut, 'train', 0, 10);
    writeFileSync(join(cut, 'train-images-idx3-ubyte'), idx([10, 8, 8], grey(9)));
    await (await fails(cut)).toThrow(/train-images-idx3-ubyte is cut off or damaged: 576 of 640 bytes/);
    const alone = temporaryFolder();
    writeFileSync(join(alone, 'train-images-idx3-ubyte'), idx([10, 8, 8], grey(10)));
    await (await fails(alone)).toThrow(/there is no train-labels-idx1-ubyte beside it/);
  });
});

describe('augmentation', () => {
  const shape = { height: 8, width: 8, channels: 1 };
  const changed = (settings: Record<string, unknown>, seed = 1): Float32Array => {
    const from = Float32Array.from({ length: 64 }, (_, i) => i);
    const into = new Float32Array(64);
    augmentImage(from, into, shape, augmentationSettings.parse(settings), createRandom(seed));
    return into;
  };

  it('leaves an image as it is where nothing is set, and mirrors it exactly', () => {
    expect([...changed({})]).toEqual(Array.from({ length: 64 }, (_, i) => i));
    const mirrored = [1, 2, 3, 4].map((seed) => changed({ flip: 'horizontal' }, seed)[0]);
    expect(new Set(mirrored)).toEqual(new Set([0, 7]));
    expect(new Set([1, 2, 3, 4].map((seed) => changed({ flip: 'vertical' }, seed)[0]))).toEqual(new Set([0, 56]));
  });

  it('keeps within the values of the image, but for noise and brightness', () => {
    for (let seed = 0; seed < 50; seed++) {
      const image = changed({ shift: 0.3, crop: 0.5, rotate: 45, flip: 'both', erase: 0.4 }, seed);
      expect(Math.min(...image)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...image)).toBeLessThanOrEqual(63);
    }
    expect(changed({ noise: 0.5 })).not.toEqual(changed({}));
  });

  it('changes training batches alone, and depends on the seed alone', () => {
    const settings = augmentationSettings.parse({ shift: 0.2 });
    expect(augments(augmentationSettings.parse({}))).toBe(false);
    const { fill } = imageBatches(digits, settings);
    const rows = Int32Array.from([1, 2, 3]);
    const filled = (seed?: number): Float32Array => {
      const into = new Float32Array(3 * 64);
      fill(rows, into, seed);
      return into;
    };
    expect(filled()).toEqual(Float32Array.from(digits.pixels.subarray(64, 256), (value) => value / 16));
    expect(filled(5)).toEqual(filled(5));
    expect(filled(5)).not.toEqual(filled(6));
    expect(filled(5)).not.toEqual(filled());
  });
});
