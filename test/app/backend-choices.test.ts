import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { recoverBackendChoices } from '../../src/app/sweep/backend-choices.js';
import type { FrozenTrial } from '../../src/core/frozen-trial.js';
import { temporaryFolder } from '../training/training-support.js';

const trial = (backend: string, key: string, reason: string): FrozenTrial =>
  ({ userAttrs: { backend, backend_key: key, backend_reason: reason } }) as unknown as FrozenTrial;

describe('choices of backends', () => {
  it('come back from the trials where the file beside the study is lost', () => {
    const folder = temporaryFolder();
    const file = join(folder, 'backends.json');
    const trials = [
      trial('wasm', 'mlp', 'fastest per step: wasm 1 ms'),
      trial('cpu', 'mlp', 'fastest per step: cpu 1 ms'),
      trial('node', 'cnn', 'fastest per step: node 1 ms'),
      trial('cpu', 'text', 'as configured'),
      { userAttrs: {} } as unknown as FrozenTrial,
    ];
    const kept = { cnn: { name: 'cpu', reason: 'fastest per step: cpu 2 ms' } };
    writeFileSync(file, JSON.stringify(kept));
    recoverBackendChoices(trials, folder);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({
      ...kept,
      mlp: { name: 'wasm', reason: 'fastest per step: wasm 1 ms' },
    });
  });
});
