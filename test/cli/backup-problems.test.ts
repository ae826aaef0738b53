import { expect, it } from 'vitest';

import type { BackupState } from '../../src/app/sweep/backup-state.js';
import type { SweepStart } from '../../src/app/sweep/sweep-observer.js';
import { progressLine } from '../../src/cli/display/restore-progress.js';
import { SweepState } from '../../src/cli/display/sweep-state.js';

const NOW = Date.parse('2026-03-01T12:00:00Z');
const good: BackupState = {
  name: 'drive',
  lastVerifiedAt: '2026-03-01T11:59:22Z',
  sha256: 'x',
  error: undefined,
  safeUpTo: 41,
  sameDisk: false,
  unconfirmed: false,
  bytes: 1_200_000,
  backlog: 0,
  overdueMs: undefined,
  damage: undefined,
  unchecked: undefined,
};

function shown(...backups: BackupState[]): { line: string | undefined; problems: string[] } {
  const state = new SweepState({ study: { history: { finished: [] } }, finished: 0 } as unknown as SweepStart);
  state.backups = backups;
  return { line: state.backupLine(NOW), problems: state.backupProblems(NOW) };
}

it('says what is safe, in one line', () => {
  expect(shown(good, { ...good, name: 'archive', backlog: 2 })).toEqual({
    line: 'safe up to trial 41, 38 s ago, on drive 1.2 MB, archive 1.2 MB (2 behind)',
    problems: [],
  });
});

it('says what fails, is overdue or damaged in a line of its own, each', () => {
  const { line, problems } = shown(
    good,
    { ...good, name: 'b', error: 'the disk is full.', backlog: 3 },
    { ...good, name: 'c', overdueMs: 600_000, backlog: 5 },
    { ...good, name: 'd', damage: '1 damaged: study.db: Pack x is missing.' },
    { ...good, name: 'e', unchecked: 'could not be verified: no answer' },
    { ...good, name: 'e', lastVerifiedAt: undefined, error: 'not mounted' },
  );
  expect(line).toMatch(/^safe up to trial 41/);
  expect(problems).toEqual([
    'BACKUP FAILS on b (last copy 38 s ago, 3 behind): the disk is full.',
    'BACKUP OVERDUE on c: last copy 38 s ago, 5 behind',
    'BACKUP DAMAGED on d: 1 damaged: study.db: Pack x is missing.',
    'BACKUP NOT CHECKED on e: could not be verified: no answer',
    'BACKUP FAILS on e (no copy in this run yet, 0 behind): not mounted',
  ]);
  expect(shown({ ...good, lastVerifiedAt: undefined, error: 'not mounted' }).line).toBe('NOT BACKED UP');
  // What was saved before it failed is safe all the same.
  expect(shown({ ...good, error: 'the disk is full.' }).line).toBe('NOT BACKED UP after trial 41');
});

it('shows rate and time left of a restore', () => {
  const progress = { target: 'a/b/study.db', destination: 'drive', doneBytes: 42_000_000, totalBytes: 100_000_000 };
  expect(progressLine(progress, 10_000)).toBe('study.db from drive: 42 %, 42 MB of 100 MB, 4.2 MB/s, about 14 s left');
});
