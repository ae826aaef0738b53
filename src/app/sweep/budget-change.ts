import { UsageError } from '../../core/errors.js';
import type { Study } from '../../study/study.js';
import { CONFIG_ATTRIBUTE, storedConfigOf } from '../studies/stored-config.js';

/** How often a running sweep looks for another budget. */
const LOOK_MS = 2_000;

/**
 * Changes the bounds of a study's sweep, also while it runs: a new revision of the stored configuration, which wins over the YAML until
 * that changes.
 * @throws UsageError for numbers that cannot be, or a study without a stored configuration
 */
export async function changeBudget(
  study: Study,
  change: { readonly trials?: number | undefined; readonly parallel?: number | undefined },
): Promise<number> {
  const stored = storedConfigOf(study);
  if (stored === undefined) throw new UsageError('This study holds no configuration: it was not made by resweep run.');
  for (const [name, value] of Object.entries(change)) {
    if (value !== undefined && !(Number.isInteger(value) && value > 0 && value < 1e9)) {
      throw new UsageError(`${name} must be a whole number above 0, but got ${value}.`);
    }
  }
  const next = {
    ...stored,
    revision: stored.revision + 1,
    trials: change.trials ?? stored.trials,
    parallel: change.parallel ?? stored.parallel,
    edited: true,
  };
  await study.setSystemAttr(CONFIG_ATTRIBUTE, next);
  return next.revision;
}

/** Tells the total that was set in the dashboard, while a sweep runs. */
export function watchBudget(study: Study, onTrials: (total: number) => void): { close(): void } {
  let isLooking = false;
  const look = async (): Promise<void> => {
    if (isLooking) return;
    isLooking = true;
    try {
      await study.refreshAttributes();
      const stored = storedConfigOf(study);
      if (stored?.edited === true) onTrials(stored.trials);
    } catch {
      // The storage is busy or away; the sweep itself notices what matters.
    } finally {
      isLooking = false;
    }
  };
  const timer = setInterval(() => void look(), LOOK_MS);
  timer.unref();
  return {
    close: () => {
      clearInterval(timer);
    },
  };
}
