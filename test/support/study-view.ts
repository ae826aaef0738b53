import type { DeclaredSpace } from '../../src/core/declared-space.js';
import type { FrozenTrial } from '../../src/core/frozen-trial.js';
import type { StudyDirection } from '../../src/core/study-direction.js';
import type { StudyView } from '../../src/core/study-view.js';

/** A study as samplers and pruners see it, made of trials alone. */
export function studyView(
  trials: readonly FrozenTrial[],
  options: {
    directions?: readonly StudyDirection[];
    seed?: number;
    declaredSpace?: DeclaredSpace;
    studyName?: string;
  } = {},
): StudyView {
  return {
    studyName: options.studyName ?? 'test',
    directions: options.directions ?? ['minimize'],
    seed: options.seed ?? 1,
    history: {
      all: trials,
      finished: trials.filter((trial) => trial.isFinished),
      unfinished: trials.filter((trial) => !trial.isFinished),
    },
    userAttrs: {},
    systemAttrs: {},
    declaredSpace: options.declaredSpace,
  };
}
