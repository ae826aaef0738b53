import { readdirSync, readFileSync, renameSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { readCheckpoint, writeCheckpoint } from '../../src/training/checkpoint.js';
import { temporaryFolder } from './training-support.js';

const arrays = [
  Float32Array.from([1, -2, Math.fround(1e-30)]),
  new Float32Array(0),
  Float32Array.from([NaN, Infinity]),
];
const state = { epoch: 3, best: NaN, values: [0.1, 1e300] };

describe('checkpoints', () => {
  it('come back as they were, and replace those before them', () => {
    const folder = join(temporaryFolder(), 'checkpoint');
    writeCheckpoint(folder, 5, { state: { epoch: 1 }, arrays: [] });
    const { path, bytes } = writeCheckpoint(folder, 10, { state, arrays });
    expect(readdirSync(folder)).toEqual(['checkpoint-000000010.bin']);
    expect(statSync(path).size).toBe(bytes);
    expect(readCheckpoint(folder, () => {})).toEqual({ state, arrays });
  });

  it('are not there where none was written', () => {
    expect(readCheckpoint(join(temporaryFolder(), 'none'), () => {})).toBeUndefined();
  });

  it('are not used half-written, and what is left of them is cleared by the next', () => {
    const folder = temporaryFolder();
    writeCheckpoint(folder, 1, { state: 1, arrays });
    writeFileSync(join(folder, 'checkpoint-000000002.bin.999.tmp'), 'x');
    expect(readCheckpoint(folder, () => {})?.state).toBe(1);
    writeCheckpoint(folder, 3, { state: 3, arrays });
    expect(readdirSync(folder)).toEqual(['checkpoint-000000003.bin']);
  });

  it.each([
    ['cut off at the start', (path: string) => truncateSync(path, 3), /cut off after 3 bytes/],
    ['cut off in the manifest', (path: string) => truncateSync(path, 30), /cut off after 30 bytes/],
    ['cut off in the arrays', (path: string) => truncateSync(path, statSync(path).size - 12), /holds 8 of 20 bytes/],
    ['with a bit turned', (path: string) => flipBit(path, -1), /does not match its checksum/],
    ['with no manifest', (path: string) => flipBit(path, 4), /JSON/],
  ])('%s give way to the one before', (_, damage, message) => {
    const folder = temporaryFolder();
    const old = writeCheckpoint(folder, 1, { state: 1, arrays }).path;
    renameSync(old, `${old}.kept`);
    damage(writeCheckpoint(folder, 2, { state: 2, arrays }).path);
    renameSync(`${old}.kept`, old);
    const complaints: string[] = [];
    expect(readCheckpoint(folder, (line) => complaints.push(line))?.state).toBe(1);
    expect(complaints).toHaveLength(1);
    expect(complaints[0]).toMatch(message);
  });
});

function flipBit(path: string, position: number): void {
  const bytes = readFileSync(path);
  const at = position < 0 ? bytes.length + position : position;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(path, bytes);
}
