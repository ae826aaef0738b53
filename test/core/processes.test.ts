import { spawnSync } from 'node:child_process';

import { describe, expect, it } from 'vitest';

import { isRunning, lifeOf, thisPlace } from '../../src/core/processes.js';

/** A number that no process has any more. */
const gone = spawnSync(process.execPath, ['-e', '']).pid;
const here = { host: 'one', bootId: 'boot' };

describe('whether a process at a place runs', () => {
  it('is told by its number on this machine, since its boot', () => {
    expect(lifeOf({ ...here, pid: process.pid }, here)).toBe('alive');
    expect(lifeOf({ ...here, pid: gone }, here)).toBe('dead');
    expect(lifeOf({ ...here, bootId: 'before', pid: process.pid }, here)).toBe('dead');
    expect(lifeOf(thisPlace())).toBe('alive');
    expect(isRunning(gone)).toBe(false);
  });

  it('cannot be told on another machine, in a container with numbers of its own, or where the boot is unknown', () => {
    expect(lifeOf({ ...here, host: 'two', pid: gone }, here)).toBe('elsewhere');
    expect(lifeOf({ ...here, bootId: 'boot/111', pid: gone }, here)).toBe('elsewhere');
    expect(lifeOf({ ...here, bootId: 'boot/111', pid: gone }, { ...here, bootId: 'boot/222' })).toBe('elsewhere');
    expect(lifeOf({ ...here, bootId: '', pid: gone }, here)).toBe('elsewhere');
  });
});
