import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { findGpus, gpuEnvironment } from '../../src/runner/gpus.js';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'resweep-gpus-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function sources(devices: readonly string[], known: readonly string[] = []) {
  for (const [name, entries] of [['devices', devices] as const, ['driver', known] as const]) {
    mkdirSync(join(folder, name));
    for (const entry of entries) writeFileSync(join(folder, name, entry), '');
  }
  const program = join(folder, 'nvidia-smi');
  writeFileSync(program, '#!/bin/sh\necho "GPU 0: one (UUID: GPU-1)"\necho "GPU 1: two (UUID: GPU-2)"\n');
  chmodSync(program, 0o755);
  return { devices: join(folder, 'devices'), driver: join(folder, 'driver'), program };
}

describe('GPUs of a machine', () => {
  it('are its device files, of which a container may have fewer than the driver knows', () => {
    expect(findGpus(sources(['nvidia1', 'nvidiactl', 'nvidia-uvm'], ['0000:01:00.0', '0000:02:00.0']))).toBe(1);
  });

  it('are those that the driver knows where there are no device files', () => {
    expect(findGpus(sources([], ['0000:01:00.0', '0000:02:00.0', '0000:03:00.0']))).toBe(3);
  });

  it('are those that nvidia-smi lists under WSL, which has neither', () => {
    expect(findGpus(sources(['dxg']))).toBe(2);
  });

  it('are none where nothing shows one', () => {
    expect(findGpus(sources(['null']))).toBe(0);
    expect(findGpus({ devices: '/nowhere', driver: '/nowhere', program: '/nowhere' })).toBe(0);
  });
});

describe('the GPU of a job', () => {
  it('is one of them in turn', () => {
    expect([0, 1, 2, 3].map((slot) => gpuEnvironment(slot, {}, 2)['CUDA_VISIBLE_DEVICES'])).toEqual([
      '0',
      '1',
      '0',
      '1',
    ]);
  });

  it('is one of those that the user allowed, by whatever name', () => {
    const env = { CUDA_VISIBLE_DEVICES: '3,GPU-8f3c' };
    expect([0, 1, 2].map((slot) => gpuEnvironment(slot, env, 8)['CUDA_VISIBLE_DEVICES'])).toEqual([
      '3',
      'GPU-8f3c',
      '3',
    ]);
  });

  it('is not set where there is none, or the user allowed none', () => {
    expect(gpuEnvironment(0, {}, 0)).toEqual({});
    expect(gpuEnvironment(0, { CUDA_VISIBLE_DEVICES: '' }, 4)).toEqual({});
    expect(gpuEnvironment(0, { CUDA_VISIBLE_DEVICES: '-1' }, 4)).toEqual({});
  });
});
