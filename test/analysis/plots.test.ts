import { describe, expect, it } from 'vitest';

import { plotContour } from '../../src/analysis/plots/contour.js';
import { plotEdf } from '../../src/analysis/plots/edf.js';
import { tableCsv } from '../../src/analysis/plots/figure-table.js';
import { figureCsv, type Figure } from '../../src/analysis/plots/figure.js';
import { plotHypervolumeHistory } from '../../src/analysis/plots/hypervolume-history.js';
import { plotIntermediateValues } from '../../src/analysis/plots/intermediate-values.js';
import { plotOptimizationHistory } from '../../src/analysis/plots/optimization-history.js';
import { plotParallelCoordinate } from '../../src/analysis/plots/parallel-coordinate.js';
import { plotParamImportances } from '../../src/analysis/plots/param-importances-figure.js';
import { plotParetoFront } from '../../src/analysis/plots/pareto-front.js';
import { plotRank } from '../../src/analysis/plots/rank.js';
import { plotSlice } from '../../src/analysis/plots/slice.js';
import { thinFigure } from '../../src/analysis/plots/thin-figure.js';
import { plotTerminatorImprovement } from '../../src/analysis/plots/terminator-improvement.js';
import { plotTimeline } from '../../src/analysis/plots/timeline.js';
import { KeptImprovement } from '../../src/analysis/terminator/kept-improvement.js';
import { CategoricalDistribution, FloatDistribution } from '../../src/core/distributions.js';
import { FrozenTrial, type TrialTemplate } from '../../src/core/frozen-trial.js';
import { studyView } from '../support/study-view.js';

const distributions = {
  x: new FloatDistribution(0, 1),
  lr: new FloatDistribution(1e-4, 1, { log: true }),
  kind: new CategoricalDistribution(['a', 'b']),
};

function trial(number: number, values: readonly number[] | undefined, rest: Partial<TrialTemplate> = {}): FrozenTrial {
  return new FrozenTrial(number + 1, number, {
    state: values === undefined ? 'FAIL' : 'COMPLETE',
    values,
    internalParams: { x: number / 10, lr: 10 ** (-4 + (number % 4)), kind: number % 2 },
    distributions,
    startedAt: `2026-01-01 00:00:${String(number * 2).padStart(2, '0')}.000000`,
    completedAt: `2026-01-01 00:00:${String(number * 2 + 3).padStart(2, '0')}.000000`,
    ...rest,
  });
}

const single = studyView(
  [3, 1, undefined, 2, Infinity, 0.5].map((value, i) => trial(i, value === undefined ? undefined : [value])),
);
const two = studyView(
  [
    [1, 5],
    [2, 2],
    [3, 3],
    [5, 1],
  ].map((values, i) => trial(i, values)),
  { directions: ['minimize', 'minimize'] },
);

describe('plots as data', () => {
  it('follow the best value and leave what is not complete out of it', async () => {
    const { series } = await plotOptimizationHistory(single);
    expect(series[0]?.best).toEqual([3, 1, 1, 1, 1, 0.5]);
    expect(series[0]?.states[2]).toBe('incomplete');
  });

  it('ask for an objective where there are several, and name a parameter that is meant', async () => {
    await expect(plotSlice(two)).rejects.toThrow(/2 objectives/);
    await expect(plotSlice(two, { objective: 2 })).rejects.toThrow(/no objective 2/);
    await expect(plotSlice(single, { params: ['kid'] })).rejects.toMatchObject({ hint: 'Did you mean "kind"?' });
    await expect(plotParetoFront(single)).rejects.toThrow(/two or three objectives/);
    await expect(plotTimeline(single, { nRecentTrials: 0 })).rejects.toThrow(/1 or more/);
    await expect(plotHypervolumeHistory(two, { referencePoint: [1] })).rejects.toThrow(/2 objectives/);
  });

  it('tell one of several objectives by its own direction', async () => {
    const view = studyView([trial(0, [1, 5]), trial(1, [2, 7])], { directions: ['minimize', 'maximize'] });
    expect((await plotOptimizationHistory(view, { objective: 1 })).series[0]?.best).toEqual([5, 7]);
  });

  it('give trials that overlap in time lanes of their own', async () => {
    const { bars } = await plotTimeline(single);
    expect(bars.map(({ lane }) => lane)).toEqual([0, 1, 0, 1, 0, 1]);
  });

  it('divide the front from what it dominates, and measure it', async () => {
    const front = await plotParetoFront(two);
    expect(front.best.map(({ number }) => number)).toEqual([0, 1, 3]);
    expect(front.dominated.map(({ number }) => number)).toEqual([2]);
    const volume = await plotHypervolumeHistory(two, { referencePoint: [6, 6] });
    expect(volume.values).toEqual([5, 17, 17, 18]);
  });

  it('stay within what was measured between the points of a contour', async () => {
    const { subplots } = await plotContour(single, { params: ['x', 'lr'], surfaceSize: 12 });
    const surface = subplots[0]?.[0]?.surface;
    expect(surface?.z).toHaveLength(12);
    const values = surface?.z.flat() ?? [];
    expect(Math.min(...values)).toBeGreaterThanOrEqual(0.5);
    expect(Math.max(...values)).toBeLessThanOrEqual(3);
  });

  it('are empty, not errors, for an empty study', async () => {
    const empty = studyView([]);
    const figures: Figure[] = [
      await plotOptimizationHistory(empty),
      await plotIntermediateValues(empty),
      await plotParallelCoordinate(empty),
      await plotSlice(empty),
      await plotContour(empty),
      await plotRank(empty),
      await plotParamImportances(empty),
      await plotEdf(empty),
      await plotTimeline(empty),
      await plotTerminatorImprovement(empty),
      await plotParetoFront(studyView([], { directions: ['minimize', 'maximize'] })),
      await plotHypervolumeHistory(studyView([], { directions: ['minimize', 'maximize'] })),
    ];
    for (const figure of figures) expect(figureCsv(figure).split('\n')).toHaveLength(2);
  });

  it('come as CSV with one row for each number, quoted where they must be', async () => {
    const rows = figureCsv(await plotOptimizationHistory(single))
      .trimEnd()
      .split('\n');
    expect(rows).toHaveLength(7);
    expect(rows[2]).toBe('test,1,feasible,1,1,,');
    const parallel = figureCsv(await plotParallelCoordinate(single)).split('\n');
    expect(parallel[0]).toBe('trial,Objective Value,kind,lr,x');
    expect(parallel[2]).toBe('1,1,b,0.001,0.1');
    expect(
      tableCsv({
        columns: ['a,b', 'c"d'],
        rows: [
          ['=1+1', -1],
          [NaN, null],
        ],
      }),
    ).toBe(`"a,b","c""d"\n'=1+1,-1\n,\n`);
  });
});

describe('figures thinned for drawing', () => {
  const many = studyView(
    Array.from({ length: 500 }, (_, i) =>
      trial(i, [i % 7], {
        internalParams: { x: (i % 50) / 50, lr: 10 ** (-4 + (i % 4)), kind: i % 2 },
        startedAt: new Date(i * 1_000).toISOString().replace('T', ' ').replace('Z', ''),
        completedAt: new Date(i * 1_000 + 900).toISOString().replace('T', ' ').replace('Z', ''),
      }),
    ),
  );

  it('keep the trials that are asked for, and say how many they show', async () => {
    const thin = thinFigure(await plotSlice(many), 60, new Set([7, 123]));
    expect(thin).toMatchObject({ shown: expect.any(Number), of: 500 });
    expect(thin.shown).toBeLessThanOrEqual(62);
    if (thin.figure.kind !== 'slice') throw new Error('another figure');
    expect(thin.figure.subplots[0]?.trialNumbers).toEqual(expect.arrayContaining([7, 123, 499]));
  });

  it('join short bars of a timeline, so that no worker looks idle', async () => {
    const { figure, shown } = thinFigure(await plotTimeline(many), 50);
    if (figure.kind !== 'timeline') throw new Error('another figure');
    expect(shown).toBe(500);
    expect(figure.bars.length).toBeLessThan(120);
    expect(figure.bars.reduce((sum, { trials = 1 }) => sum + trials, 0)).toBe(500);
    const busy = figure.bars.reduce((sum, { start, end }) => sum + end - start, 0);
    expect(busy).toBeGreaterThan(0.85 * 500_000);
  });

  it('have each pair once where half is asked for', async () => {
    const [half, whole] = [await plotContour(many, { onlyHalf: true }), await plotContour(many)];
    expect(half.subplots[2]?.[0]).toEqual(whole.subplots[2]?.[0]);
    expect(half.subplots[0]?.[2]?.trialNumbers).toEqual([]);
    expect((await plotRank(many, { onlyHalf: true })).subplots[0]?.[2]?.xs).toEqual([]);
  });

  it('judge room for improvement at places that stay as the study grows', async () => {
    const judged: number[] = [];
    const evaluator = new KeptImprovement({
      evaluate: (trials) => {
        judged.push(trials.length);
        return trials.length;
      },
    });
    const at = async (count: number): Promise<readonly number[]> => {
      const study = studyView(many.history.all.slice(0, count));
      const options = { improvementEvaluator: evaluator, maxPoints: 10 };
      return (await plotTerminatorImprovement(study, options)).improvements;
    };
    expect(await at(70)).toEqual([8, 16, 24, 32, 40, 48, 56, 64, 70]);
    expect(await at(75)).toEqual([8, 16, 24, 32, 40, 48, 56, 64, 72, 75]);
    // Only what is new was judged the second time.
    expect(judged).toEqual([8, 16, 24, 32, 40, 48, 56, 64, 70, 72, 75]);
  });
});
