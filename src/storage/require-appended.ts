import {
  appendsChoices,
  isSameDistribution,
  type CategoricalDistribution,
  type Distribution,
} from '../core/distributions.js';
import { UsageError } from '../core/errors.js';

/** @throws UsageError unless every row has the new choices, or a beginning of them, and no trial runs */
export function requireAppended(
  name: string,
  before: readonly Distribution[],
  after: CategoricalDistribution,
  running: number,
): void {
  if (running > 0) {
    throw new UsageError(`${running} trials of the study are running: choices of "${name}" cannot be appended now.`, {
      hint: 'Wait for them to end, or stop the sweep first.',
    });
  }
  const wrong = before.find(
    (distribution) => !isSameDistribution(distribution, after) && !appendsChoices(distribution, after),
  );
  if (wrong !== undefined)
    throw new UsageError(
      `Choices of "${name}" can only be appended, but some trials have ${wrong.json}, not ${after.json}.`,
    );
}
