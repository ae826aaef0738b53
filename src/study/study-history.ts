import type { Distribution } from '../core/distributions.js';
import { TRIAL_ATTRIBUTE, type FrozenTrial } from '../core/frozen-trial.js';
import type { TrialHistory } from '../core/study-view.js';

/** The trials that this process knows of, kept up to date from the storage's changes. */
export class StudyHistory implements TrialHistory {
  readonly #all: FrozenTrial[] = [];
  readonly #finished: FrozenTrial[] = [];
  readonly #unfinished = new Map<number, FrozenTrial>();
  readonly #distributions = new Map<string, Distribution>();
  readonly #retryNumbers: number[] = [];
  #unfinishedSorted: readonly FrozenTrial[] | undefined;

  get all(): readonly FrozenTrial[] {
    return this.#all;
  }

  get finished(): readonly FrozenTrial[] {
    return this.#finished;
  }

  get unfinished(): readonly FrozenTrial[] {
    this.#unfinishedSorted ??= [...this.#unfinished.values()].sort((a, b) => a.number - b.number);
    return this.#unfinishedSorted;
  }

  /** Takes newer states of trials. A finished one comes again only where another process had added to it just before its end. */
  apply(trials: readonly FrozenTrial[]): void {
    for (const trial of trials) {
      const known = this.#all[trial.number];
      if (known?.isFinished === true && known.trialId >= trial.trialId) {
        if (known.trialId === trial.trialId && trial.isFinished && hasMore(trial, known))
          this.#replaceFinished(known, trial);
        continue;
      }
      if (known === undefined && trial.systemAttrTexts[TRIAL_ATTRIBUTE.retryHistory] !== undefined) {
        this.#retryNumbers.push(trial.number);
      }
      this.#all[trial.number] = trial;
      this.#unfinishedSorted = undefined;
      if (trial.isFinished) {
        this.#unfinished.delete(trial.number);
        this.#finished.push(trial);
      } else {
        this.#unfinished.set(trial.number, trial);
      }
      for (const name in trial.distributions) {
        const distribution = trial.distributions[name];
        if (distribution !== undefined && !this.#distributions.has(name)) this.#distributions.set(name, distribution);
      }
    }
  }

  #replaceFinished(known: FrozenTrial, trial: FrozenTrial): void {
    this.#all[trial.number] = trial;
    const at = this.#finished.lastIndexOf(known);
    if (at >= 0) this.#finished[at] = trial;
  }

  /** Distribution under which a parameter first appeared: later trials must be compatible with it. */
  firstDistribution(name: string): Distribution | undefined {
    return this.#distributions.get(name);
  }

  /** How many trials before `number` are retries of others: what separates a number from its logical index. */
  retriesBefore(number: number): number {
    let count = 0;
    for (const retry of this.#retryNumbers) if (retry < number) count++;
    return count;
  }

  /** A retry carries its original's; every other trial's is its number less the retries before it, so none is used twice. */
  logicalIndexOf(trial: FrozenTrial): number {
    return trial.systemAttrTexts[TRIAL_ATTRIBUTE.logicalIndex] === undefined
      ? trial.number - this.retriesBefore(trial.number)
      : trial.logicalIndex;
  }
}

/** Whether one state of a finished trial holds what another of it lacks. */
function hasMore(trial: FrozenTrial, known: FrozenTrial): boolean {
  if (trial === known) return false;
  const count = ({ userAttrTexts, systemAttrTexts, intermediateValues }: FrozenTrial): number =>
    [userAttrTexts, systemAttrTexts, intermediateValues].reduce((sum, record) => sum + Object.keys(record).length, 0);
  return count(trial) > count(known);
}
