import type { FrozenTrial } from '../core/frozen-trial.js';
import type { StudyDirection } from '../core/study-direction.js';
import type { StudyView, TrialHistory } from '../core/study-view.js';
import { nonDominationRanks } from '../algorithms/non-dominated-sort.js';
import { pointKey } from '../algorithms/search-domain.js';

/** Turns trials into points; undefined for one that has no place in the space. */
export interface TrialEncoder {
  encode(trial: FrozenTrial): Float64Array | undefined;
}

/** A finished trial as models take it. */
export interface LogEntry {
  readonly trial: FrozenTrial;
  /** NaN where a parameter did not take part. */
  readonly point: Float64Array;
  /** By objective, lower is better. Empty for a trial that failed. Of a pruned trial what it is estimated at. */
  readonly losses: readonly number[];
  /** By name, feasible where <= 0. */
  readonly constraints: Readonly<Record<string, number>>;
  /** Sum of the violated constraints. */
  readonly violation: number;
}

const MOST_ELITE = 600;

/**
 * The finished trials of a study within one search space, taken in as they come. Trials that have values outside of the space as it
 * is now are left out.
 */
export class TrialLog {
  /** Completed trials, by number. */
  readonly complete: LogEntry[] = [];
  /** Completed trials, feasible first, then by violation and by loss of the first objective. */
  readonly ranked: LogEntry[] = [];
  readonly pruned: LogEntry[] = [];
  /** Failed on their own account, not interrupted. */
  readonly failed: LogEntry[] = [];
  /** Keys of all points tried. */
  readonly keys = new Set<string>();
  /** With several objectives: the least dominated trials, a few hundred. */
  #elite: LogEntry[] = [];
  #isConstrained = false;
  readonly #space: TrialEncoder;
  readonly #directions: readonly StudyDirection[];
  #consumed = 0;

  constructor(space: TrialEncoder, directions: readonly StudyDirection[]) {
    this.#space = space;
    this.#directions = directions;
  }

  /** Completed and pruned trials. */
  get size(): number {
    return this.complete.length + this.pruned.length;
  }

  /** Whether a completed trial has constraints. */
  get isConstrained(): boolean {
    return this.#isConstrained;
  }

  update(history: TrialHistory): void {
    const { finished } = history;
    for (; this.#consumed < finished.length; this.#consumed++) {
      const trial = finished[this.#consumed];
      if (trial === undefined || trial.isSuperseded) continue;
      const point = this.#space.encode(trial);
      if (point === undefined) continue;
      const constraints = trial.constraints ?? {};
      const violation = Object.values(constraints).reduce((sum, value) => sum + (value > 0 ? value : 0), 0);
      const entry = { trial, point, constraints, violation, losses: this.#lossesOf(trial) };
      if (trial.state !== 'FAIL') this.keys.add(pointKey(point));
      if (trial.state === 'COMPLETE' && entry.losses.every((loss) => !Number.isNaN(loss))) {
        insert(this.complete, entry, byNumber);
        insert(this.ranked, entry, byRank);
        if (Object.keys(constraints).length > 0) this.#isConstrained = true;
        if (this.#directions.length > 1) this.#elite.push(entry);
        if (this.#elite.length > MOST_ELITE) this.#elite = byDominance(this.#elite).slice(0, MOST_ELITE >> 1);
      } else if (trial.state === 'PRUNED') insert(this.pruned, entry, byNumber);
      else if (Object.keys(trial.internalParams).length > 0) insert(this.failed, { ...entry, losses: [] }, byNumber);
    }
  }

  #lossesOf(trial: FrozenTrial): number[] {
    return (trial.values ?? []).map((value, i) => (this.#directions[i] === 'maximize' ? -value : value));
  }

  /**
   * At most `most` completed trials: the better half of them, and the others spread evenly over the rest. By number.
   * @param upTo only the first so many
   */
  sample(most: number, upTo = this.complete.length): LogEntry[] {
    const all = upTo === this.complete.length ? this.complete : this.complete.slice(0, upTo);
    if (all.length <= most) return [...all];
    const last = all[all.length - 1]?.trial.number ?? 0;
    const chosen = new Set<LogEntry>();
    const half = most >> 1;
    for (const entry of this.#directions.length > 1 ? byDominance(this.#elite) : this.ranked) {
      if (chosen.size >= half) break;
      if (entry.trial.number <= last) chosen.add(entry);
    }
    // Evenly over all; where one is chosen already, the nearest older one that is not.
    const wanted = most - chosen.size;
    for (let i = 0; i < wanted; i++) {
      let at = Math.floor(((i + 1) * all.length) / wanted) - 1;
      while (at > 0 && chosen.has(all[at] as LogEntry)) at--;
      chosen.add(all[at] as LogEntry);
    }
    return [...chosen].sort(byNumber);
  }

  /**
   * What pruned trials are worth: the loss of the completed trial that stood at the same place when both had reported the last step
   * of the pruned one, and never better than the median. Where nothing can be compared, the worse quarter's best.
   */
  estimatedPruned(most: number): { entry: LogEntry; loss: number }[] {
    if (this.pruned.length === 0) return [];
    const losses = this.ranked.map(({ losses: [loss] }) => loss ?? NaN).sort((a, b) => a - b);
    if (losses.length === 0) return [];
    const at = (share: number): number => losses[Math.min(losses.length - 1, Math.floor(share * losses.length))] ?? 0;
    const sign = this.#directions[0] === 'maximize' ? -1 : 1;
    const peers = this.complete.slice(-200);
    return this.pruned.slice(-most).map((entry) => {
      const step = entry.trial.lastStep;
      const value = step === undefined ? NaN : sign * (entry.trial.intermediateValues[step] ?? NaN);
      let worse = 0;
      let compared = 0;
      for (const peer of peers) {
        const other = step === undefined ? undefined : peer.trial.intermediateValues[step];
        if (other === undefined) continue;
        compared++;
        if (sign * other < value) worse++;
      }
      return { entry, loss: compared === 0 || Number.isNaN(value) ? at(0.75) : at(Math.max(0.5, worse / compared)) };
    });
  }
}

/** Logs by study and space; the caches of a sampler. */
export class TrialLogs {
  readonly #logs = new WeakMap<TrialHistory, { space: TrialEncoder; log: TrialLog }>();

  of(study: StudyView, space: TrialEncoder): TrialLog {
    let entry = this.#logs.get(study.history);
    if (entry?.space !== space) {
      entry = { space, log: new TrialLog(space, study.directions) };
      this.#logs.set(study.history, entry);
    }
    entry.log.update(study.history);
    return entry.log;
  }
}

/** Feasible trials first, then by violation and by non-domination rank. */
function byDominance(entries: readonly LogEntry[]): LogEntry[] {
  const ranks = nonDominationRanks(entries.map(({ losses }) => losses));
  return [...entries.keys()]
    .sort((a, b) => {
      const violation = (entries[a]?.violation ?? 0) - (entries[b]?.violation ?? 0);
      return violation || (ranks[a] ?? 0) - (ranks[b] ?? 0) || a - b;
    })
    .flatMap((i) => entries[i] ?? []);
}

function byNumber(a: LogEntry, b: LogEntry): number {
  return a.trial.number - b.trial.number;
}

function byRank(a: LogEntry, b: LogEntry): number {
  return a.violation - b.violation || (a.losses[0] ?? 0) - (b.losses[0] ?? 0) || byNumber(a, b);
}

function insert(list: LogEntry[], entry: LogEntry, compare: (a: LogEntry, b: LogEntry) => number): void {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compare(list[middle] as LogEntry, entry) <= 0) low = middle + 1;
    else high = middle;
  }
  list.splice(low, 0, entry);
}
