import * as z from 'zod';

import type { Random } from '../../../core/random.js';
import { fraction } from '../../training-settings.js';

export const FLIPS = ['none', 'horizontal', 'vertical', 'both'] as const;

/** Settings by which training images are changed at random, each time that they are seen. */
export const augmentationSettings = z.strictObject({
  flip: z.enum(FLIPS).default('none').describe('Which way training images are mirrored, half of the time.'),
  shift: fraction('Training images are shifted by up to this share of their size, both ways.').default(0),
  crop: fraction('Up to this share of a training image’s sides is cut off; the rest is enlarged.').default(0),
  rotate: z.number().min(0).max(180).default(0).describe('Training images are turned by up to this many degrees.'),
  brightness: fraction('Pixels of a training image are multiplied by 1 plus or minus up to this.').default(0),
  noise: z.number().min(0).max(10).default(0).describe('Deviation of the noise added to scaled training pixels.'),
  erase: fraction('Up to this share of a training image’s sides is covered by an empty rectangle.').default(0),
});

export type Augmentation = z.output<typeof augmentationSettings>;

export interface ImageShape {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** Whether images are changed at all. */
export function augments({ flip, shift, crop, rotate, brightness, noise, erase }: Augmentation): boolean {
  return flip !== 'none' || [shift, crop, rotate, brightness, noise, erase].some((amount) => amount > 0);
}

/**
 * Writes a changed copy of one scaled image. Geometry is one affine map from the copy's pixels to the original's, between whose
 * pixels is interpolated; beyond its edge the edge goes on.
 */
export function augmentImage(
  from: Float32Array,
  into: Float32Array,
  shape: ImageShape,
  settings: Augmentation,
  random: Random,
): void {
  const { height, width, channels } = shape;
  const between = (limit: number): number => limit * (2 * random.uniform() - 1);
  const mirrored = (way: 'horizontal' | 'vertical'): number =>
    (settings.flip === way || settings.flip === 'both') && random.uniform() < 0.5 ? -1 : 1;
  const across = mirrored('horizontal');
  const down = mirrored('vertical');
  const zoom = 1 - settings.crop * random.uniform();
  const angle = (between(settings.rotate) * Math.PI) / 180;
  // What is enlarged may be any part of the image.
  const slack = (1 - zoom) / 2;
  const moveX = (between(settings.shift) + between(slack)) * width;
  const moveY = (between(settings.shift) + between(slack)) * height;
  const [cos, sin] = [Math.cos(angle) * zoom, Math.sin(angle) * zoom];
  const [middleX, middleY] = [(width - 1) / 2, (height - 1) / 2];
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += channels) {
      const u = across * (x - middleX);
      const v = down * (y - middleY);
      const fromX = clamp(middleX + cos * u - sin * v + moveX, width);
      const fromY = clamp(middleY + sin * u + cos * v + moveY, height);
      sample(from, into, at, fromX, fromY, shape);
    }
  }
  const factor = 1 + between(settings.brightness);
  for (let i = 0; i < into.length; i++)
    into[i] = (into[i] ?? 0) * factor + (settings.noise > 0 ? settings.noise * random.normal() : 0);
  if (settings.erase > 0) erase(into, shape, settings.erase, random);
}

function clamp(value: number, size: number): number {
  return Math.max(0, Math.min(size - 1, value));
}

function sample(
  from: Float32Array,
  into: Float32Array,
  at: number,
  x: number,
  y: number,
  { width, height, channels }: ImageShape,
): void {
  const [left, top] = [Math.floor(x), Math.floor(y)];
  const [rightShare, lowerShare] = [x - left, y - top];
  const start = (top * width + left) * channels;
  const right = left + 1 < width ? channels : 0;
  const lower = top + 1 < height ? width * channels : 0;
  for (let c = start; c < start + channels; c++) {
    const upper = (from[c] ?? 0) * (1 - rightShare) + (from[c + right] ?? 0) * rightShare;
    const under = (from[c + lower] ?? 0) * (1 - rightShare) + (from[c + lower + right] ?? 0) * rightShare;
    into[at + c - start] = upper * (1 - lowerShare) + under * lowerShare;
  }
}

/** DeVries & Taylor 2017 (cutout), with sides drawn too. */
function erase(image: Float32Array, { height, width, channels }: ImageShape, most: number, random: Random): void {
  const rows = Math.round(random.uniform() * most * height);
  const columns = Math.round(random.uniform() * most * width);
  const top = random.integer(height - rows + 1);
  const left = random.integer(width - columns + 1);
  for (let row = top; row < top + rows; row++)
    image.fill(0, (row * width + left) * channels, (row * width + left + columns) * channels);
}
