import type { ParamValue } from '../../core/distributions.js';
import { canonicalJson, type JsonValue } from '../../core/json.js';
import { hash8, mixSeed } from '../../core/random.js';
import { finalTrainingFolder } from '../../core/study-paths.js';
import type { StageStudy } from '../stage-study.js';

export const METRICS_FILE = 'metrics.json';
export const TRAINING_FILE = 'training.json';

/** What is trained: a configuration of a study, and how. */
export interface TrainingSpec {
  readonly study: StageStudy;
  /** Number of the trial that was chosen. */
  readonly trial: number;
  /** Parameters of the run: the trial's, with the epochs of the final training. */
  readonly params: Readonly<Record<string, ParamValue>>;
  readonly spec8: string;
  readonly folder: string;
  readonly runs: readonly TrainingRun[];
}

/** One seed of it. */
export interface TrainingRun {
  readonly index: number;
  readonly seed: number;
  /** Where its model and log go. */
  readonly folder: string;
  readonly checkpointDir: string;
}

/** Lays out the final training of a trial. Its identity is the study, the parameters and the settings of `final:`. */
export function trainingSpec(
  study: StageStudy,
  chosen: { readonly trial: number; readonly params: Readonly<Record<string, ParamValue>> },
): TrainingSpec {
  const { final, objective } = study.config;
  const trial = study.trials.find(({ number }) => number === chosen.trial);
  const place = trial === undefined ? chosen.trial : study.logicalIndexOf(trial);
  const params: Record<string, ParamValue> = { ...chosen.params };
  const epochs = final.epochs ?? epochsOf(study, trial?.userAttrs ?? {});
  if (objective.type === 'tfjs' && epochs !== undefined) params['epochs'] = epochs;
  // Without a validation part nothing can tell when to stop: the number of epochs is the trial's best.
  if (objective.type === 'tfjs' && final.data === 'train+validation') params['patience'] = 0;
  const spec8 = hash8(
    canonicalJson({
      study8: study.study8,
      trial_params: chosen.params,
      epochs: epochs ?? null,
      seeds: final.seeds,
      data: final.data,
    }),
  );
  const folder = finalTrainingFolder(study.place, spec8);
  const runs = Array.from({ length: final.seeds }, (_, index): TrainingRun => {
    const own = final.seeds === 1 ? '' : `/seed-${index}`;
    return {
      index,
      seed: mixSeed(study.seed, place, 'final', index) >>> 0,
      folder: `${folder}${own}`,
      checkpointDir: `${folder}/checkpoint${own}`,
    };
  });
  return { study, trial: chosen.trial, params, spec8, folder, runs };
}

/** The epoch at which the trial was best, where the training cannot find that out itself any more. */
function epochsOf({ config }: StageStudy, attributes: Readonly<Record<string, JsonValue>>): number | undefined {
  if (config.final.data === 'train') return undefined;
  const best = attributes['best_epoch'];
  return typeof best === 'number' && best >= 1 ? best : undefined;
}
