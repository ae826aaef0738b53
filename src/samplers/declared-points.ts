import type { DeclaredSpace } from '../core/declared-space.js';
import type { ParamValue } from '../core/distributions.js';
import type { FrozenTrial } from '../core/frozen-trial.js';
import type { Random } from '../core/random.js';
import type { TrialHistory } from '../core/study-view.js';
import { declaredPoints } from './finite-space.js';

type Point = Readonly<Record<string, ParamValue>>;

/** The points of a declared space, and which of them a study has tried; kept up to date as trials finish. */
export class DeclaredPoints {
  readonly #space: DeclaredSpace;
  readonly #points: readonly Point[];
  readonly #ids = new Map<string, number>();
  readonly #tried: Uint8Array;
  #left: number;
  #consumed = 0;

  /** @throws UsageError for a continuous parameter, or more points than can be kept */
  constructor(space: DeclaredSpace, sampler: string) {
    this.#space = space;
    this.#points = declaredPoints(space, sampler);
    for (const [id, point] of this.#points.entries())
      this.#ids.set(
        this.#keyOf((name) => this.#internal(name, point)),
        id,
      );
    this.#tried = new Uint8Array(this.#points.length);
    this.#left = this.#points.length;
  }

  /** A point that has not been tried and is not under way, else one that is under way; undefined where all have been tried. */
  draw(history: TrialHistory, number: number, random: Random): Point | undefined {
    this.#update(history);
    const running = this.#running(history, number);
    const free = this.#left - [...running].filter((id) => this.#tried[id] === 0).length;
    let rest = random.integer(Math.max(1, free > 0 ? free : this.#left));
    for (const [id, tried] of this.#tried.entries()) {
      if (tried === 1 || (free > 0 && running.has(id))) continue;
      if (rest-- === 0) return this.#points[id];
    }
    return undefined;
  }

  /**
   * Whether nothing is left to be tried.
   * @param excludeRunning what is under way counts as tried
   * @param ended a trial that is about to end
   */
  isExhausted(history: TrialHistory, excludeRunning: boolean, ended?: FrozenTrial): boolean {
    this.#update(history);
    const closed = excludeRunning ? this.#running(history, -1) : new Set<number>();
    const own = ended === undefined ? undefined : this.#idOf(ended);
    if (own !== undefined) closed.add(own);
    let left = this.#left;
    for (const id of closed) if (this.#tried[id] === 0) left--;
    return left === 0;
  }

  #update({ finished }: TrialHistory): void {
    for (; this.#consumed < finished.length; this.#consumed++) {
      const trial = finished[this.#consumed];
      // Another trial stands for one that was interrupted.
      const id = trial === undefined || trial.isSuperseded ? undefined : this.#idOf(trial);
      if (id === undefined || this.#tried[id] === 1) continue;
      this.#tried[id] = 1;
      this.#left--;
    }
  }

  #running(history: TrialHistory, number: number): Set<number> {
    const ids = history.unfinished.flatMap((trial) => (trial.number === number ? [] : (this.#idOf(trial) ?? [])));
    return new Set(ids);
  }

  #idOf(trial: FrozenTrial): number | undefined {
    return this.#ids.get(this.#keyOf((name) => trial.internalParams[name]));
  }

  #internal(name: string, point: Point): number | undefined {
    const value = point[name];
    const parameter = this.#space.parameters.find((candidate) => candidate.name === name);
    return value === undefined ? undefined : parameter?.distribution.toInternal(value);
  }

  #keyOf(internalOf: (name: string) => number | undefined): string {
    return this.#space.parameters.map(({ name }) => internalOf(name) ?? '').join();
  }
}
