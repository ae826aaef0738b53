import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { writeJsonAtomically } from '../../src/core/atomic-file.js';
import { loadBackend, useBackend } from '../../src/training/backends.js';
import { chooseBackend } from '../../src/training/choose-backend.js';
import { loadTensorflow } from '../../src/training/tensorflow.js';
import { temporaryFolder } from './training-support.js';

describe('chooseBackend', () => {
  const tensorflow = loadTensorflow();
  const question = (key: string, milliseconds: Readonly<Record<string, number>>) => ({
    choice: 'auto' as const,
    key,
    time: () => milliseconds[tensorflow.tf.getBackend()] ?? 1000,
  });
  const choose = async (more: Parameters<typeof chooseBackend>[1]) => chooseBackend(tensorflow, more, () => {});

  it('takes the fastest, says why, and does not measure a size twice', async () => {
    const chosen = await choose(question('a', { wasm: 3, cpu: 2 }));
    expect(chosen).toMatchObject({ name: 'cpu' });
    expect(chosen.reason).toContain('cpu 2.0 ms, wasm 3.0 ms');
    expect(tensorflow.tf.getBackend()).toBe('cpu');
    expect(await choose(question('a', { wasm: 1, cpu: 2 }))).toEqual(chosen);
    expect(await choose(question('b', { wasm: 1, cpu: 2 }))).toMatchObject({ name: 'wasm' });
    expect(tensorflow.tf.getBackend()).toBe('wasm');
  });

  it('keeps its choices in a file, and takes those of other workers', async () => {
    const file = join(temporaryFolder(), 'backends.json');
    await choose({ ...question('c', { wasm: 1, cpu: 2 }), file });
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ c: { name: 'wasm' } });
    writeJsonAtomically(file, { d: { name: 'cpu', reason: 'measured elsewhere' } });
    expect(await choose({ ...question('d', { wasm: 1, cpu: 2 }), file })).toEqual({
      name: 'cpu',
      reason: 'measured elsewhere',
    });
  });

  it('stays on the backend of the checkpoint, and obeys the configuration', async () => {
    expect(await choose({ ...question('a', {}), before: 'wasm' })).toMatchObject({ name: 'wasm' });
    expect(await choose({ ...question('a', {}), choice: 'wasm', before: 'cpu' })).toMatchObject({ name: 'wasm' });
  });

  it('names the way out where a backend is asked for that does not load', async () => {
    if ((await loadBackend('node')) === undefined) return; // It loads here.
    await expect(choose({ ...question('a', {}), choice: 'node' })).rejects.toMatchObject({ code: 'BACKEND_MISSING' });
  });
});

describe('matrix products of the wasm backend', () => {
  it('equal those of the cpu backend, transposed or not, of any rank', async () => {
    const tensorflow = loadTensorflow();
    const { tf } = tensorflow;
    await loadBackend('cpu');
    await loadBackend('wasm');
    const sizes: readonly (readonly [number, number, number, readonly number[]])[] = [
      [3, 5, 4, []],
      [2, 40, 30, []],
      [40, 2, 3, []],
      [3, 5, 4, [1]],
      [3, 5, 4, [2]],
    ];
    for (const [m, k, n, outer] of sizes) {
      for (const [left, right] of [
        [false, false],
        [true, false],
        [false, true],
        [true, true],
      ] as const) {
        const results: number[][] = [];
        for (const backend of ['cpu', 'wasm'] as const) {
          await useBackend(tensorflow, backend);
          const product = tf.tidy(() => {
            const a = tf.randomNormal([...outer, ...(left ? [k, m] : [m, k])], 0, 1, 'float32', 1);
            const b = tf.randomNormal([...outer, ...(right ? [n, k] : [k, n])], 0, 1, 'float32', 2);
            const result = tf.matMul(a, b, left, right);
            expect(result.shape).toEqual([...outer, m, n]);
            return [...result.dataSync()];
          });
          results.push(product);
        }
        results[0]?.forEach((value, index) => expect(results[1]?.[index]).toBeCloseTo(value, 4));
      }
    }
    expect(tf.memory().numTensors).toBe(0);
  });
});
