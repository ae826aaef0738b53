import { expect, it } from 'vitest';

import { statusPage, type StatusPageData } from '../../src/report/status-page.js';

const data: StatusPageData = {
  study: 'digits <b>',
  study8: '0123abcd',
  at: '2026-03-01T12:00:00Z',
  host: 'colab',
  metric: 'val_accuracy',
  goal: 'maximize',
  finished: 3,
  total: 10,
  counts: { Complete: 2, Pruned: 1 },
  best: { number: 1, value: 0.9371, params: 'lr=0.1 kind=<x>' },
  points: [
    { number: 0, value: 0.5, pruned: false },
    { number: 1, value: 0.9371, pruned: false },
    { number: 2, value: NaN, pruned: true },
  ],
  running: [{ number: 3, step: 7, params: 'lr=0.2' }],
  failures: [{ number: 9, reason: 'out of memory' }],
  backups: [
    {
      name: 'drive',
      lastVerifiedAt: '2026-03-01T11:59:00Z',
      how: 'verified',
      finishedTrials: 3,
      bytes: 90_000,
      backlog: 0,
      problem: undefined,
    },
    {
      name: 'archive',
      lastVerifiedAt: undefined,
      how: 'not at all',
      finishedTrials: undefined,
      bytes: 0,
      backlog: 3,
      problem: 'quota exceeded',
    },
  ],
};

it('is one file without scripts that shows all, with everything escaped', () => {
  const page = statusPage(data);
  for (const text of [
    '3 of 10',
    '0.9371',
    'lr=0.1 kind=&lt;x&gt;',
    'digits &lt;b&gt;',
    'out of memory',
    'archive: quota exceeded',
    '2026-03-01 11:59 UTC',
    '90 kB',
  ])
    expect(page).toContain(text);
  expect(page).toMatch(/name="viewport" content="width=device-width/);
  expect(page).not.toMatch(/<script|https?:|NaN|undefined/);
});

it('stays small with many trials, and takes a study without a finished one', () => {
  const points = Array.from({ length: 50_000 }, (_, number) => ({
    number,
    value: Math.sin(number),
    pruned: number % 3 === 0,
  }));
  expect(statusPage({ ...data, points }).length).toBeLessThan(100_000);
  expect(statusPage({ ...data, points: [], best: undefined, finished: 0 })).toContain('0 of 10');
});
