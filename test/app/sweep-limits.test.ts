import { tmpdir } from 'node:os';

import { describe, expect, it } from 'vitest';

import { SweepLimits } from '../../src/app/sweep/sweep-limits.js';
import { createStudy } from '../../src/study/create-study.js';

const metrics = [{ name: 'loss', goal: 'minimize' }] as const;
const place = { studyDir: tmpdir(), spentBeforeMs: 0 };

describe('limits of a sweep', () => {
  it('ends it after so many trials without a better one', async () => {
    const values = [3, 2, 5, 2, 4];
    const study = await createStudy();
    const limits = new SweepLimits({ noImprovement: 3 }, metrics, place);
    const reasons: (string | undefined)[] = [];
    await study.optimize((trial) => values[trial.number], {
      nTrials: 5,
      callbacks: [() => void reasons.push(limits.reasonToStop(study))],
    });
    expect(reasons.slice(0, 4)).toEqual([undefined, undefined, undefined, undefined]);
    expect(reasons[4]).toContain('limits.no_improvement');
    expect(new SweepLimits({}, metrics, place).reasonToStop(study)).toBeUndefined();
  });

  it('ends it at the target of the metric', async () => {
    const study = await createStudy();
    const limits = new SweepLimits({}, [{ ...metrics[0], target: 1 }], place);
    await study.optimize(() => 1.5, { nTrials: 1 });
    expect(limits.reasonToStop(study)).toBeUndefined();
    await study.optimize(() => 1, { nTrials: 1 });
    expect(limits.reasonToStop(study)).toContain('target loss = 1');
  });
});
