import { TreeVariance } from '../algorithms/functional-anova.js';
import { growRandomForest } from '../algorithms/random-forest.js';
import { UsageError } from '../core/errors.js';
import { createRandom } from '../core/random.js';
import type { StudyView } from '../core/study-view.js';
import { forestData, forestTask } from './forest-space.js';
import { byImportance, type EvaluateOptions, type ImportanceEvaluator } from './importance-evaluator.js';

export interface ForestImportanceOptions {
  /** @default 64 */
  readonly nTrees?: number;
  /** @default 64 */
  readonly maxDepth?: number;
  /** @default the study's seed */
  readonly seed?: number;
}

/**
 * fANOVA: the share of a random forest's variance over the search space that each parameter explains alone (Hutter, Hoos &
 * Leyton-Brown, ICML 2014). Assesses the parameters that all complete trials share.
 */
export class FanovaImportanceEvaluator implements ImportanceEvaluator {
  readonly #options: ForestImportanceOptions;

  constructor(options: ForestImportanceOptions = {}) {
    this.#options = options;
  }

  evaluate(study: StudyView, options: EvaluateOptions = {}): Readonly<Record<string, number>> {
    const task = forestTask(study, options);
    const names = [...task.space.keys()];
    const varied = names.filter((name) => task.space.get(name)?.single() === false);
    if (varied.length === 0 || task.trials.length <= 1) return byImportance(names.map((name) => [name, 0]));
    const data = forestData(task, varied);
    const { nTrees = 64, maxDepth = 64, seed = study.seed } = this.#options;
    const trees = growRandomForest(data.columns, data.targets, createRandom(seed), { trees: nTrees, maxDepth })
      .map((tree) => new TreeVariance(tree, data.ranges))
      .filter(({ total }) => total > 0);
    if (trees.length === 0) {
      throw new UsageError('The values of all trials are the same: nothing is there to explain.');
    }
    const share = (name: string): number =>
      trees.reduce((sum, tree) => sum + tree.marginal(data.columnsOf.get(name) ?? []) / tree.total, 0) / trees.length;
    return byImportance(names.map((name) => [name, varied.includes(name) ? share(name) : 0]));
  }
}
