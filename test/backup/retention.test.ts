import { describe, expect, it } from 'vitest';
import fc from 'fast-check';

import type { ManifestName } from '../../src/backup/format/manifest.js';
import { DEFAULT_RETENTION, planRetention } from '../../src/backup/retention/retention.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

function state(generation: number, time: number, finished: number, branch = 'aaaaaaaa'): ManifestName {
  const name = `${branch}.${String(generation).padStart(10, '0')}.${String(finished).padStart(9, '0')}.${time}`;
  return { name, branch, generation, finished, createdAt: time, owner: '00000000', content: '', check: '' };
}

/** A sweep that saves every `every` milliseconds for `days`, while one trial ends per save; pruned each day, as a machine would. */
function live(days: number, every: number, start = Date.UTC(2024, 0, 1)): ManifestName[] {
  let kept: ManifestName[] = [];
  let generation = 0;
  for (let day = 0; day < days; day++) {
    for (let time = start + day * DAY; time < start + (day + 1) * DAY; time += every) {
      generation++;
      kept.push(state(generation, time, generation));
    }
    kept = planRetention(kept, DEFAULT_RETENTION)
      .filter(({ keep }) => keep)
      .map(({ manifest }) => manifest);
  }
  return kept;
}

function describeKept(kept: readonly ManifestName[]): string {
  return kept
    .map(({ createdAt, finished }) => `${new Date(createdAt).toISOString().slice(0, 16)} ${finished}`)
    .join('\n');
}

describe('retention', () => {
  it('of three years with a save every hour, pruned every day', async () => {
    await expect(describeKept(live(1096, HOUR))).toMatchFileSnapshot('golden/retention-hourly-3-years.txt');
  });

  it('of ten years with a save every 8 hours', async () => {
    await expect(describeKept(live(3653, 8 * HOUR))).toMatchFileSnapshot('golden/retention-8-hourly-10-years.txt');
  });

  it('gives the reasons of a day', async () => {
    const states = Array.from({ length: 40 }, (_, i) => state(i + 1, Date.UTC(2025, 4, 1) + i * 6 * HOUR, i * 5));
    const text = planRetention(states, { ...DEFAULT_RETENTION, newest: 3, days: 4, weeks: 2, months: 2 })
      .map(
        ({ manifest, keep, reasons }) => `${keep ? 'keep' : 'go  '} ${describeKept([manifest])}: ${reasons.join(', ')}`,
      )
      .join('\n');
    await expect(text).toMatchFileSnapshot('golden/retention-reasons.txt');
  });

  it('always keeps the newest, the milestones, the head of each branch and the last one known to be whole', () => {
    const states = fc.array(
      fc.record({
        time: fc.integer({ min: 0, max: 4_000_000_000_000 }),
        step: fc.integer({ min: 0, max: 60 }),
        branch: fc.constantFrom('aaaaaaaa', 'bbbbbbbb'),
      }),
      { minLength: 1, maxLength: 60 },
    );
    const policy = fc.record({
      newest: fc.integer({ min: 1, max: 5 }),
      days: fc.nat(5),
      weeks: fc.nat(3),
      months: fc.nat(3),
      milestones: fc.constant([10, 100, 1_000]),
    });
    fc.assert(
      fc.property(states, policy, fc.nat(), (drawn, keep, pick) => {
        const finished = new Map<string, number>();
        const names = drawn.map(({ time, step, branch }, i) => {
          const count = (finished.get(branch) ?? 0) + step;
          finished.set(branch, count);
          return state(i + 1, time, count, branch);
        });
        const lastGood = names[pick % names.length]?.name;
        const decisions = planRetention(names, keep, { lastGood });
        const kept = new Set(decisions.filter((decision) => decision.keep).map(({ manifest }) => manifest.name));
        expect(decisions).toHaveLength(names.length);
        expect(decisions.every(({ reasons }) => reasons.length > 0)).toBe(true);
        for (const { name } of names.slice(-keep.newest)) expect(kept).toContain(name);
        expect(kept).toContain(lastGood);
        for (const branch of finished.keys()) {
          const own = names.filter((name) => name.branch === branch);
          expect(kept).toContain(own.at(-1)?.name);
          for (const milestone of keep.milestones) {
            const first = own.find((name) => name.finished >= milestone);
            if (first !== undefined) expect(kept).toContain(first.name);
          }
        }
        // What is kept stays kept when it is asked again: a prune after a prune removes nothing.
        const again = planRetention(
          names.filter(({ name }) => kept.has(name)),
          keep,
          { lastGood },
        );
        expect(again.filter((decision) => !decision.keep)).toEqual([]);
      }),
    );
  });

  it('keeps what a mount took until it had a day', () => {
    const now = Date.UTC(2025, 0, 10);
    const states = Array.from({ length: 48 }, (_, i) => state(i + 1, now - (48 - i) * HOUR, 0));
    const policy = { newest: 1, days: 0, weeks: 0, months: 0, milestones: [] };
    const kept = planRetention(states, policy, { unconfirmedSince: now - DAY }).filter(({ keep }) => keep);
    expect(kept).toHaveLength(24);
  });
});
