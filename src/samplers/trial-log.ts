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

/** How many trials of a kind there were at some time. */
export interface FinishedCounts {
  readonly complete: number;
  readonly pruned: number;
}

const MOST_ELITE = 600;
/** Completed trials, the latest, that pruned ones are compared with. */
const MOST_PEERS = 200;

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

  /** How many of the first `size` completed and pruned trials were which; at least two completed ones. */
  countsAt(size: number): FinishedCounts {
    let complete = 0;
    let pruned = 0;
    while (complete + pruned < size) {
      const next = this.complete[complete];
      const other = this.pruned[pruned];
      if (next === undefined && other === undefined) break;
      if (other === undefined || (next !== undefined && next.trial.number < other.trial.number)) complete++;
      else pruned++;
    }
    return { complete: Math.max(complete, Math.min(2, this.complete.length)), pruned };
  }

  /**
   * What pruned trials were heading for: their last value and what completed trials still gained from that step on, in the median;
   * never better than the worst of their better quarter. Where nothing can be compared, the worse quarter's best. The latest `most`.
   */
  estimatedPruned(
    most: number,
    { complete, pruned }: FinishedCounts = { complete: this.complete.length, pruned: this.pruned.length },
  ): { entry: LogEntry; loss: number }[] {
    const peers = this.complete.slice(Math.max(0, complete - MOST_PEERS), complete);
    if (pruned === 0 || peers.length === 0) return [];
    const lossOf = (entry: LogEntry): number => entry.losses[0] ?? NaN;
    const losses = peers.map(lossOf).sort(ascending);
    const good = losses[losses.length >> 2] ?? 0;
    const bad = losses[Math.floor(0.75 * losses.length)] ?? good;
    const sign = this.#directions[0] === 'maximize' ? -1 : 1;
    const gains = new Map<number, number | undefined>();
    const gainFrom = (step: number): number | undefined => {
      if (gains.has(step)) return gains.get(step);
      const own = peers
        .map((peer) => lossOf(peer) - sign * (peer.trial.intermediateValues[step] ?? NaN))
        .filter(Number.isFinite)
        .sort(ascending);
      const gain = own[own.length >> 1];
      gains.set(step, gain);
      return gain;
    };
    return this.pruned.slice(Math.max(0, pruned - most), pruned).map((entry) => {
      const step = entry.trial.lastStep;
      const value = step === undefined ? NaN : sign * (entry.trial.intermediateValues[step] ?? NaN);
      const gain = step === undefined ? undefined : gainFrom(step);
      return { entry, loss: gain === undefined || Number.isNaN(value) ? bad : Math.max(good, value + gain) };
    });
  }
}

const ascending = (a: number, b: number): number => a - b;

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
