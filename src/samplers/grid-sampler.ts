import { z } from 'zod';

import type { Distribution, ParamValue } from '../core/distributions.js';
import { UsageError } from '../core/errors.js';
import { TRIAL_ATTRIBUTE, type FrozenTrial } from '../core/frozen-trial.js';
import { nearestName } from '../core/nearest-name.js';
import { wholeStudy, type SearchSpace, type StudyView, type TrialHistory } from '../core/study-view.js';
import { warnOnce } from '../core/warnings.js';
import { declaredGrid, productGrid, type GridPoints, type GridSearchSpace } from './grid-points.js';
import { trialRandom, type Sampler, type SamplingTrial } from './sampler.js';

const GRID_ID = 'grid_id';
const SEARCH_SPACE = 'search_space';

export interface GridSamplerOptions {
  /** Values of each parameter. @default every value of the declared space */
  readonly searchSpace?: GridSearchSpace | undefined;
  /** Of the order in which the points are tried. @default 0 */
  readonly seed?: number | undefined;
}

interface Progress {
  consumed: number;
  /** 1 for each point that has been tried or cannot be. */
  readonly closed: Uint8Array;
  left: number;
}

/**
 * Tries every combination of given values once, in shuffled order, and ends the study when all are done. A trial's point follows
 * from its place in the study; numbers, order and attributes are those of Optuna's GridSampler, so each can go on with the other's
 * study.
 */
export class GridSampler implements Sampler {
  readonly name = 'grid';
  readonly #options: GridSamplerOptions;
  readonly #given: GridPoints | undefined;
  readonly #declared = new WeakMap<object, GridPoints>();
  readonly #progress = new WeakMap<TrialHistory, Progress>();

  /** @throws UsageError for a parameter without values, or more points than can be kept */
  constructor(options: GridSamplerOptions = {}) {
    this.#options = options;
    if (options.searchSpace !== undefined) this.#given = productGrid(options.searchSpace, options.seed ?? 0);
  }

  inferRelativeSearchSpace(): SearchSpace {
    return {};
  }

  sampleRelative(): Readonly<Record<string, ParamValue>> {
    return {};
  }

  sampleIndependent(study: StudyView, trial: SamplingTrial, name: string, distribution: Distribution): ParamValue {
    const grid = this.#gridOf(study);
    const id = trial.systemAttrs[GRID_ID];
    if (typeof id !== 'number') {
      throw new UsageError(`GridSampler: an enqueued trial must fix every parameter, but "${name}" is missing.`);
    }
    const value = grid.at(id)[name];
    if (value === undefined) {
      const nearest = nearestName(name, grid.names);
      throw new UsageError(`GridSampler: parameter "${name}" is not in the grid.`, {
        hint: nearest === undefined ? `It has ${grid.names.join(', ')}.` : `Did you mean "${nearest}"?`,
      });
    }
    if (!distribution.contains(distribution.toInternal(value))) {
      warnOnce(
        `Parameter "${name}": the grid's ${String(value)} is outside of ${distribution.json}: it is used all the same.`,
      );
    }
    return value;
  }

  beforeTrial(study: StudyView, trial: SamplingTrial): void {
    if (GRID_ID in trial.systemAttrs || TRIAL_ATTRIBUTE.fixedParams in trial.systemAttrs) return;
    const grid = this.#gridOf(study);
    const { closed, left } = this.#progressOf(study, grid);
    const taken = this.#taken(study, grid, trial.number);
    let id = trial.logicalIndex;
    if (id >= grid.size || closed[id] === 1 || taken.has(id)) {
      if (left === 0) {
        warnOnce(`Every point of the grid of study "${study.studyName}" has been tried: one is tried again.`);
      }
      const isOpen = (point: number): boolean => left === 0 || closed[point] === 0;
      const isFree = (point: number): boolean => isOpen(point) && !taken.has(point);
      const open = [...closed.keys()].filter(isOpen);
      const free = open.filter(isFree);
      // What another worker has under way is tried again only where nothing else is left.
      const choices = free.length > 0 ? free : open;
      id = choices[trialRandom(this.#options.seed ?? study.seed, trial, 'grid').integer(choices.length)] ?? 0;
    }
    trial.setSystemAttr(SEARCH_SPACE, grid.mark);
    trial.setSystemAttr(GRID_ID, id);
  }

  afterTrial(study: StudyView, trial: SamplingTrial): void {
    const grid = this.#gridOf(study);
    const { closed, left } = this.#progressOf(study, grid);
    const own = trial.systemAttrs[GRID_ID];
    if (left === 0 || (left === 1 && typeof own === 'number' && closed[own] === 0)) trial.stopStudy();
  }

  /** Whether every point has been tried, or is being tried now. */
  isExhausted(study: StudyView): boolean {
    const grid = this.#gridOf(study);
    const { closed, left } = this.#progressOf(study, grid);
    let open = left;
    for (const id of this.#taken(study, grid, -1)) if (closed[id] === 0) open--;
    return open <= 0;
  }

  #gridOf(study: StudyView): GridPoints {
    if (this.#given !== undefined) return this.#given;
    const { declaredSpace } = study;
    if (declaredSpace === undefined) {
      throw new UsageError('GridSampler needs a searchSpace where the study declares none.', {
        hint: 'new GridSampler({ searchSpace: { x: [1, 2, 3] } })',
      });
    }
    let grid = this.#declared.get(declaredSpace);
    if (grid === undefined) {
      grid = declaredGrid(declaredSpace, this.#options.seed ?? 0);
      this.#declared.set(declaredSpace, grid);
    }
    return grid;
  }

  #progressOf(study: StudyView, grid: GridPoints): Progress {
    const { history, declaredSpace } = wholeStudy(study);
    let progress = this.#progress.get(history);
    if (progress === undefined) {
      progress = { consumed: 0, closed: new Uint8Array(grid.size), left: grid.size };
      this.#progress.set(history, progress);
      for (let id = 0; id < grid.size && declaredSpace !== undefined; id++) {
        if (!declaredSpace.isFeasible({ ...declaredSpace.constants, ...grid.at(id) })) close(progress, id);
      }
    }
    for (; progress.consumed < history.finished.length; progress.consumed++) {
      const trial = history.finished[progress.consumed];
      // Another trial stands for one that was interrupted.
      if (trial === undefined || trial.isSuperseded) continue;
      close(progress, idOf(trial, grid));
    }
    return progress;
  }

  /** Points of trials that run, or wait to be run again. */
  #taken(study: StudyView, grid: GridPoints, number: number): Set<number> {
    const taken = new Set<number>();
    for (const trial of wholeStudy(study).history.unfinished) {
      const id = trial.number === number ? undefined : idOf(trial, grid);
      if (id !== undefined) taken.add(id);
    }
    return taken;
  }
}

function close(progress: Progress, id: number | undefined): void {
  if (id === undefined || progress.closed[id] !== 0) return;
  progress.closed[id] = 1;
  progress.left--;
}

/** Number of a trial's point, where it is of this grid. */
function idOf(trial: FrozenTrial, grid: GridPoints): number | undefined {
  const text = trial.systemAttrTexts[GRID_ID];
  const mark = trial.systemAttrTexts[SEARCH_SPACE];
  return text === undefined || mark === undefined || !grid.isOwn(mark) ? undefined : Number(text);
}

export const gridSamplerDefinition = {
  type: 'grid',
  isFinite: true,
  summary: 'Every combination of given values once',
  schema: z
    .object({
      search_space: z
        .record(z.string(), z.array(z.union([z.string(), z.number(), z.boolean(), z.null()])).min(1))
        .optional()
        .describe('Values of each parameter; default: every value that `parameters` allows.'),
      seed: z.number().int().min(0).optional().describe('Of the order in which the points are tried; default 0.'),
    })
    .strict(),
  create: (options: GridSamplerOptions) => new GridSampler(options),
};
