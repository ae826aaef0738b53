import { growRandomForest, impurityDecrease } from '../algorithms/random-forest.js';
import { createRandom } from '../core/random.js';
import type { StudyView } from '../core/study-view.js';
import type { ForestImportanceOptions } from './fanova.js';
import { forestData, forestTask } from './forest-space.js';
import { byImportance, type EvaluateOptions, type ImportanceEvaluator } from './importance-evaluator.js';

/**
 * Mean decrease of impurity: how much of the variance a random forest's splits on a parameter take away (Breiman, Machine Learning
 * 2001; Louppe et al., NeurIPS 2013). Assesses the parameters that all complete trials share.
 */
export class MeanDecreaseImpurityImportanceEvaluator implements ImportanceEvaluator {
  readonly #options: ForestImportanceOptions;

  constructor(options: ForestImportanceOptions = {}) {
    this.#options = options;
  }

  evaluate(study: StudyView, options: EvaluateOptions = {}): Readonly<Record<string, number>> {
    const task = forestTask(study, options);
    const names = [...task.space.keys()];
    if (names.length === 0 || task.trials.length <= 1) return byImportance(names.map((name) => [name, 0]));
    const data = forestData(task, names);
    const { nTrees = 64, maxDepth = 64, seed = study.seed } = this.#options;
    const trees = growRandomForest(data.columns, data.targets, createRandom(seed), { trees: nTrees, maxDepth });
    const decrease = new Float64Array(data.columns.length);
    for (const tree of trees) {
      for (const [column, share] of impurityDecrease(tree, decrease.length).entries()) {
        decrease[column] = (decrease[column] as number) + share;
      }
    }
    const total = decrease.reduce((sum, value) => sum + value, 0);
    return byImportance(
      names.map((name) => {
        const own = (data.columnsOf.get(name) ?? []).reduce((sum, column) => sum + (decrease[column] as number), 0);
        return [name, total > 0 ? own / total : 0];
      }),
    );
  }
}
