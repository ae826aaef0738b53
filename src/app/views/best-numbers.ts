import { bestTrialOf, paretoFrontOf } from '../../study/best-trials.js';
import type { Study } from '../../study/study.js';

/** Numbers of the best hundred trials, the best first; of several objectives the front. */
export function bestNumbers(study: Study): number[] {
  const [direction] = study.directions;
  if (study.directions.length > 1 || direction === undefined) {
    return paretoFrontOf(study.history.finished, study.directions).map(({ number }) => number);
  }
  const best = bestTrialOf(study.history.finished, direction);
  const sign = direction === 'maximize' ? -1 : 1;
  const others = study.history.finished
    .filter((trial) => trial.state === 'COMPLETE' && trial.isFeasible && trial.number !== best?.number)
    .sort((a, b) => sign * ((a.value ?? NaN) - (b.value ?? NaN)))
    .slice(0, 99);
  return [...(best === undefined ? [] : [best.number]), ...others.map(({ number }) => number)];
}
