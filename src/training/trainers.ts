import { UsageError } from '../core/errors.js';
import { nearestName } from '../core/nearest-name.js';
import type { Trainer } from './trainer.js';
import { cnnClassifier } from './trainers/cnn-classifier.js';
import { mlpClassifier } from './trainers/mlp-classifier.js';
import { mlpRegressor } from './trainers/mlp-regressor.js';
import { textClassifier } from './trainers/text-classifier.js';
import { tokenClassifier } from './trainers/token-classifier.js';

/** All built-in trainers. */
export const TRAINERS: readonly Trainer[] = [
  mlpClassifier,
  mlpRegressor,
  cnnClassifier,
  textClassifier,
  tokenClassifier,
];

/** The trainer of this type. @throws UsageError naming those there are. */
export function findTrainer(type: string): Trainer {
  const trainer = TRAINERS.find((candidate) => candidate.type === type);
  if (trainer !== undefined) return trainer;
  const types = TRAINERS.map((candidate) => candidate.type);
  const near = nearestName(type, types);
  throw new UsageError(`There is no trainer "${type}"; there are ${types.join(', ')}.`, {
    ...(near === undefined ? {} : { hint: `Did you mean "${near}"?` }),
  });
}
