import type { FrozenTrial } from '../core/frozen-trial.js';
import type { JsonValue } from '../core/json.js';
import type { StudyView } from '../core/study-view.js';

/** What a pruner may write on the trial it judges. */
export interface PruningTrial {
  setSystemAttr(key: string, value: JsonValue): void;
}

/** Decides, after a report, whether a running trial is hopeless. */
export interface Pruner {
  /** As written in a configuration: `median`, `hyperband`, … */
  readonly name: string;
  /** `trial` holds all its reports so far. Single objective only: callers never ask with several. */
  prune(study: StudyView, trial: FrozenTrial, context: PruningTrial): boolean;
  /** Where trials only compete within groups (Hyperband's brackets): the study as the sampler of this trial is to see it. */
  viewFor?(study: StudyView, logicalIndex: number): StudyView;
}
