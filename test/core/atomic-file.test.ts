import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { writeFileAtomically, writeJsonAtomically } from '../../src/core/atomic-file.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'resweep-atomic-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('writeFileAtomically', () => {
  it('makes the folders, replaces the content and leaves nothing beside it', () => {
    const path = join(folder, 'a', 'b', 'file.bin');
    writeFileAtomically(path, 'a longer text than the next');
    writeFileAtomically(path, new Uint8Array([1, 2, 3]));
    expect([...readFileSync(path)]).toEqual([1, 2, 3]);
    expect(readdirSync(join(folder, 'a', 'b'))).toEqual(['file.bin']);
  });

  it('leaves the old content and no leftovers where writing fails', () => {
    const path = join(folder, 'kept.json');
    writeJsonAtomically(path, { loss: NaN, n: 1 });
    expect(readFileSync(path, 'utf8')).toBe('{"loss": NaN, "n": 1}\n');
    expect(() => writeFileAtomically(join(path, 'below-a-file'), 'x')).toThrow();
    expect(() => writeFileAtomically(folder, 'x')).toThrow();
    expect(readdirSync(folder)).toEqual(['kept.json']);
    expect(
      readdirSync(join(folder, '..')).filter((name) => name.startsWith(`${folder.split('/').at(-1) ?? ''}.`)),
    ).toEqual([]);
  });
});
