import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { plotContour, type ContourFigure } from '../../../src/analysis/plots/contour.js';
import { plotEdf } from '../../../src/analysis/plots/edf.js';
import { plotHypervolumeHistory } from '../../../src/analysis/plots/hypervolume-history.js';
import { plotIntermediateValues } from '../../../src/analysis/plots/intermediate-values.js';
import { plotOptimizationHistory } from '../../../src/analysis/plots/optimization-history.js';
import { plotParallelCoordinate, type ParallelDimension } from '../../../src/analysis/plots/parallel-coordinate.js';
import { plotParamImportances } from '../../../src/analysis/plots/param-importances-figure.js';
import { plotParetoFront, type ParetoPoint } from '../../../src/analysis/plots/pareto-front.js';
import { plotRank } from '../../../src/analysis/plots/rank.js';
import { plotSlice } from '../../../src/analysis/plots/slice.js';
import { plotTerminatorImprovement } from '../../../src/analysis/plots/terminator-improvement.js';
import { plotTimeline } from '../../../src/analysis/plots/timeline.js';
import { BestValueStagnationEvaluator } from '../../../src/analysis/terminator/best-value-stagnation.js';
import { TrialPruned } from '../../../src/core/errors.js';
import { parseJson } from '../../../src/core/json.js';
import { RandomSampler } from '../../../src/samplers/random-sampler.js';
import { createStudy, loadStudy } from '../../../src/study/create-study.js';
import type { Study } from '../../../src/study/study.js';
import type { Trial } from '../../../src/study/trial.js';

const PROGRAM = resolve(import.meta.dirname, 'plots_side.py');

/** The document of plots_side.py, as far as its parts are looked at singly. */
interface OptunaPlots {
  readonly timeline: readonly { number: number; state: string; start: number; end: number; infeasible: boolean }[];
  readonly importances: readonly { params: string[]; values: number[] }[];
  readonly slice: readonly { param: string; x: unknown[] }[];
  readonly parallel: { readonly objectives: readonly { label: string }[] };
  readonly bars: readonly { numbers: number[]; values: number[] }[];
  readonly hypervolume: { reference: number[]; numbers: number[]; values: number[] };
  readonly intermediate: unknown;
  readonly history: unknown;
  readonly contour: unknown;
  readonly pair: unknown;
  readonly rank: unknown;
  readonly positions: unknown;
  readonly edf: unknown;
  readonly terminator: unknown;
  readonly ranks: unknown;
  readonly pareto: unknown;
}

/** What Optuna makes of a study. */
async function optunaPlots(path: string, name: string): Promise<OptunaPlots> {
  const python = process.env['RESWEEP_PYTHON'];
  if (python === undefined) throw new Error('RESWEEP_PYTHON names no Python with Optuna.');
  const { stdout } = await promisify(execFile)(python, [PROGRAM, `sqlite:///${path}`, name], { maxBuffer: 2 ** 28 });
  return parseJson(stdout.trim().split('\n').at(-1) ?? '') as unknown as OptunaPlots;
}

function suggestAll(trial: Trial): number {
  const x = trial.suggestFloat('x', -5, 5);
  const lr = trial.suggestFloat('lr', 1e-5, 1e-1, { log: true });
  const n = trial.suggestInt('n', 1, 9, { step: 2 });
  const batch = trial.suggestCategorical('batch', [64, 16, 32]);
  const kind = trial.suggestCategorical('kind', ['b', 'a', 'c']);
  const extra = kind === 'a' ? trial.suggestFloat('only_a', 0, 1) : 0;
  const deep = kind === 'b' ? trial.suggestInt('only_b', 1, 1000, { log: true }) : 0;
  return (x - 1) ** 2 + Math.abs(Math.log10(lr) + 3) + n / 10 + batch / 64 + extra + deep / 1000;
}

let folder: string;
const studies: Study[] = [];

async function make(
  name: string,
  directions: readonly ('minimize' | 'maximize')[],
  constrained: boolean,
  count: number,
): Promise<string> {
  const path = join(folder, `${name}.db`);
  const study = await createStudy({
    storage: path,
    studyName: name,
    directions,
    sampler: new RandomSampler({ seed: 5 }),
  });
  await study.setMetricNames(['loss', 'size', 'time'].slice(0, directions.length));
  await study.optimize(
    async (trial) => {
      const loss = suggestAll(trial);
      if (constrained && trial.number % 7 !== 3) trial.setConstraint('memory', (trial.number % 5) - 3);
      if (directions.length > 1) {
        const x = Number(trial.params['x']);
        return [loss / 20, (x / 5) ** 2, -Math.abs(Math.sin(x * 3))].slice(0, directions.length);
      }
      for (let step = 1; step <= 3; step++) await trial.report(loss / step, step * 10);
      if (trial.number % 11 === 5) throw new TrialPruned();
      if (trial.number % 13 === 6) throw new Error('on purpose');
      if (trial.number === 8) return Infinity;
      return loss;
    },
    { nTrials: count, catch: [Error] },
  );
  await study.enqueueTrial({ x: 1 });
  await study.close();
  return path;
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'resweep-plots-'));
});
afterAll(async () => {
  for (const study of studies) await study.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Numbers equal to 1e-9 of their size. */
function same(ours: unknown, theirs: unknown, where = ''): void {
  if (Array.isArray(theirs)) {
    expect(Array.isArray(ours), where).toBe(true);
    expect((ours as unknown[]).length, `${where} length`).toBe(theirs.length);
    for (const [i, item] of theirs.entries()) same((ours as unknown[])[i], item, `${where}[${i}]`);
  } else if (typeof theirs === 'object' && theirs !== null) {
    for (const [key, item] of Object.entries(theirs)) {
      same((ours as Record<string, unknown>)[key], item, `${where}.${key}`);
    }
  } else if (typeof theirs === 'number' && Number.isFinite(theirs)) {
    expect(Math.abs(Number(ours) - theirs), `${where}: ${String(ours)} against ${theirs}`).toBeLessThanOrEqual(
      1e-9 * Math.max(1, Math.abs(theirs)),
    );
  } else expect(ours ?? null, where).toEqual(theirs);
}

function contourOf(figure: ContourFigure): unknown {
  return figure.subplots.map((row) =>
    row.map(({ x, y, cells }) => ({
      x,
      y,
      indices: [x.indices, y.indices],
      cells: cells.map(({ xIndex, yIndex, z }) => [xIndex, yIndex, z]),
    })),
  );
}

function dimensionOf({ tickValues, ...rest }: ParallelDimension): unknown {
  return { ...rest, ticks: tickValues.length };
}

const pointsOf = (points: readonly ParetoPoint[]): unknown => points.map(({ number, values }) => [number, values]);

describe.each([
  ['minimized', ['minimize'], false, 40],
  ['maximized', ['maximize'], false, 40],
  ['constrained', ['minimize'], true, 40],
  ['two', ['minimize', 'maximize'], true, 40],
  ['three', ['minimize', 'minimize', 'maximize'], false, 40],
] as const)('plots of a study (%s)', (name, directions, constrained, count) => {
  it('have the numbers of optuna.visualization', async () => {
    const path = await make(name, directions, constrained, count);
    const theirs = await optunaPlots(path, name);
    const study = await loadStudy({ storage: path, sampler: new RandomSampler() });
    studies.push(study);
    const options =
      directions.length === 1
        ? {}
        : { target: (trial: { values?: readonly number[] | undefined }) => trial.values?.[1] ?? NaN };

    const intermediate = await plotIntermediateValues(study);
    same(
      intermediate.curves.map(({ number, steps, values, isFeasible }) => ({
        number,
        points: steps.map((step, i) => [step, values[i]]),
        isFeasible,
      })),
      theirs.intermediate,
      'intermediate',
    );
    const timeline = await plotTimeline(study);
    for (const [i, bar] of timeline.bars.entries()) {
      const other = theirs.timeline[i]!;
      expect([bar.number, bar.state, !bar.isFeasible]).toEqual([other.number, other.state, other.infeasible]);
      expect(Math.abs(bar.start - other.start)).toBeLessThanOrEqual(1);
      expect(Math.abs(bar.end - other.end)).toBeLessThanOrEqual(1);
    }
    const importances = await plotParamImportances(study);
    same(
      importances.series.map(({ params, importances: values }) =>
        Object.fromEntries(params.map((p, i) => [p, values[i]])),
      ),
      theirs.importances.map((one) => Object.fromEntries(one.params.map((p, i) => [p, one.values[i]]))),
      'importances',
    );
    for (const { importances: values } of importances.series) expect(values).toEqual([...values].sort((a, b) => a - b));

    const history = await plotOptimizationHistory(study, options);
    same(
      history.series.map((one) => ({
        numbers: one.trialNumbers,
        values: one.values,
        states: one.states,
        best: one.best ?? null,
      })),
      theirs.history,
      'history',
    );
    const slice = await plotSlice(study, options);
    same(
      slice.subplots
        .map((one) => ({ ...one, numbers: one.trialNumbers }))
        .map(({ x, param, y, numbers, isLog, isFeasible }) => ({ x, param, y, numbers, isLog, isFeasible })),
      theirs.slice.map((one) => ({
        ...one,
        x: one.param === 'batch' ? one.x.map(String) : one.x,
      })),
      'slice',
    );
    same(contourOf(await plotContour(study, options)), theirs.contour, 'contour');
    same(contourOf(await plotContour(study, { ...options, params: ['lr', 'x'] })), theirs.pair, 'pair');
    const rank = await plotRank(study, options);
    same(
      rank.subplots.map((row) =>
        row.map(({ x, y, xs, ys, zs, trialNumbers }) => ({ x, y, xs, ys, zs, numbers: trialNumbers })),
      ),
      theirs.rank,
      'rank',
    );
    // The subplot of a parameter that all trials have holds all of them.
    same(
      rank.subplots[rank.params.indexOf('x')]?.[rank.params.indexOf('lr')]?.positions,
      theirs.positions,
      'positions',
    );
    const parallel = await plotParallelCoordinate(study, options);
    same(
      {
        objectives: parallel.objectives.map(dimensionOf),
        params: parallel.params.map(dimensionOf),
        color: parallel.colorValues,
        feasibility: parallel.isFeasible ?? null,
        reverse: parallel.lowIsGood,
      },
      {
        ...theirs.parallel,
        objectives: theirs.parallel.objectives.map(({ label: _, ...rest }) => rest),
      },
      'parallel',
    );
    const edf = await plotEdf(study, options);
    same({ x: edf.x, lines: edf.lines.map(({ y }) => y) }, theirs.edf, 'edf');

    if (directions.length === 1) {
      const terminator = await plotTerminatorImprovement(study, {
        plotError: true,
        improvementEvaluator: new BestValueStagnationEvaluator({ maxStagnationTrials: 10 }),
      });
      same(
        { numbers: terminator.trialNumbers, improvements: terminator.improvements, errors: terminator.errors },
        theirs.terminator,
        'terminator',
      );
      const bars = await plotOptimizationHistory([study, study], { errorBar: true });
      same(
        bars.series.map((one) => ({ numbers: one.trialNumbers, values: one.values })),
        theirs.bars.map((one) => ({
          numbers: one.numbers,
          values: one.values,
        })),
        'bars',
      );
      return;
    }
    const whole = await plotParallelCoordinate(study);
    same({ color: whole.colorValues, objectives: whole.objectives.map(dimensionOf) }, theirs.ranks, 'ranks');
    const front = await plotParetoFront(study);
    same(
      {
        names: front.targetNames,
        best: pointsOf(front.best),
        dominated: pointsOf(front.dominated),
        infeasible: pointsOf(front.infeasible),
        hasConstraints: front.hasConstraints,
      },
      theirs.pareto,
      'pareto',
    );
    const volume = await plotHypervolumeHistory(study, { referencePoint: theirs.hypervolume.reference });
    same(
      { numbers: volume.trialNumbers, values: volume.values },
      { numbers: theirs.hypervolume.numbers, values: theirs.hypervolume.values },
      'hypervolume',
    );
  });
});
