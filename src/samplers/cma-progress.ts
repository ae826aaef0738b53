import type { FrozenTrial } from '../core/frozen-trial.js';
import type { JsonValue } from '../core/json.js';
import type { StudyView } from '../core/study-view.js';
import type { CmaOptimizer, CmaSolution } from '../algorithms/cma-optimizer.js';
import type { CmaSpace } from './cma-space.js';

/**
 * Attribute of each trial that CMA-ES has drawn: `run` (space and options), `generation`, `told` (numbers of the trials of the
 * generation before that made this one; on the first trial of a generation) and `x` (the draw, where it was brought to a grid).
 */
export const CMA_ATTRIBUTE = 'resweep:cma';

export interface CmaMark {
  readonly run: string;
  readonly generation: number;
  readonly told?: readonly number[];
  readonly x?: readonly number[];
}

export function cmaMarkOf(trial: Pick<FrozenTrial, 'systemAttr'>): CmaMark | undefined {
  const mark = trial.systemAttr(CMA_ATTRIBUTE);
  return typeof mark === 'object' && mark !== null && !Array.isArray(mark) ? (mark as unknown as CmaMark) : undefined;
}

export function cmaMark(mark: CmaMark): JsonValue {
  return { ...mark };
}

interface Told {
  /** Trial that says so: where several do, the one of lowest number is right. */
  readonly number: number;
  readonly trials: readonly number[];
}

export interface CmaProgressParts {
  readonly run: string;
  readonly space: CmaSpace;
  /** The first optimizer. */
  readonly create: () => CmaOptimizer;
  /** Makes the rule by which another takes over, which has a state of its own; asked after each update. */
  readonly createRule: () => (optimizer: CmaOptimizer) => CmaOptimizer | undefined;
  readonly considerPruned: boolean;
}

/**
 * The optimizer of a study, rebuilt from its trials: which of them made each generation is stored with the first trial of the next, so
 * every process, and every later one, arrives at the same state.
 */
export class CmaProgress {
  readonly #parts: CmaProgressParts;
  #optimizer: CmaOptimizer;
  #next: ReturnType<CmaProgressParts['createRule']>;
  #generation = 0;
  #consumed = 0;
  /** Trials that can be told, by generation. */
  readonly #members = new Map<number, FrozenTrial[]>();
  /** Who made which generation. */
  readonly #told = new Map<number, Told>();
  /** What each update was made of, as text. */
  readonly #applied = new Map<number, string>();
  /** Another worker's update, of a trial before ours, has turned up: ours was not the one that counts. */
  #isContradicted = false;
  /** An update that no trial tells of yet. */
  #untold: { readonly generation: number; readonly told: readonly number[] } | undefined;

  constructor(parts: CmaProgressParts) {
    this.#parts = parts;
    this.#next = parts.createRule();
    this.#optimizer = parts.create();
  }

  /** Takes in what has happened, and returns the optimizer as it stands for the next trial. */
  advance(study: StudyView): { optimizer: CmaOptimizer; generation: number; told: readonly number[] | undefined } {
    const { history, directions } = study;
    for (; this.#consumed < history.finished.length; this.#consumed++) {
      const trial = history.finished[this.#consumed];
      if (trial !== undefined) this.#take(trial);
    }
    for (const trial of history.unfinished) this.#takeTold(trial, cmaMarkOf(trial));
    if (this.#isContradicted) this.#restart();
    let own: readonly number[] | undefined;
    for (;;) {
      const said = this.#told.get(this.#generation + 1)?.trials;
      const members = this.#members.get(this.#generation) ?? [];
      const chosen =
        said === undefined
          ? members.slice(0, this.#optimizer.populationSize)
          : said.flatMap((number) => members.find((member) => member.number === number) ?? []);
      // What others were told may not have come to this process yet.
      if (chosen.length < this.#optimizer.populationSize) break;
      own = said === undefined ? chosen.map(({ number }) => number) : undefined;
      this.#tell(chosen, directions[0] === 'maximize' ? -1 : 1);
    }
    if (own !== undefined) this.#untold = { generation: this.#generation, told: own };
    const isTold = this.#told.has(this.#generation) || this.#untold?.generation !== this.#generation;
    return { optimizer: this.#optimizer, generation: this.#generation, told: isTold ? undefined : this.#untold?.told };
  }

  #take(trial: FrozenTrial): void {
    const mark = cmaMarkOf(trial);
    if (mark?.run !== this.#parts.run) return;
    this.#takeTold(trial, mark);
    if (trial.isSuperseded || this.#lossOf(trial) === undefined || this.#parts.space.encode(trial) === undefined)
      return;
    const members = this.#members.get(mark.generation) ?? [];
    if (members.length === 0) this.#members.set(mark.generation, members);
    let at = members.length;
    while (at > 0 && (members[at - 1] as FrozenTrial).number > trial.number) at--;
    members.splice(at, 0, trial);
  }

  #takeTold(trial: FrozenTrial, mark: CmaMark | undefined): void {
    if (mark?.run !== this.#parts.run || mark.told === undefined) return;
    const known = this.#told.get(mark.generation);
    if (known !== undefined && trial.number >= known.number) return;
    this.#told.set(mark.generation, { number: trial.number, trials: mark.told });
    const applied = this.#applied.get(mark.generation);
    if (applied !== undefined && applied !== mark.told.join()) this.#isContradicted = true;
  }

  #restart(): void {
    this.#next = this.#parts.createRule();
    this.#optimizer = this.#parts.create();
    this.#generation = 0;
    this.#applied.clear();
    this.#isContradicted = false;
  }

  #tell(trials: readonly FrozenTrial[], sign: 1 | -1): void {
    const solutions: CmaSolution[] = trials.map((trial) => {
      const drawn = cmaMarkOf(trial)?.x;
      const x = drawn === undefined ? this.#parts.space.encode(trial) : Float64Array.from(drawn);
      return { x: x ?? new Float64Array(this.#parts.space.dimensions), loss: sign * (this.#lossOf(trial) ?? NaN) };
    });
    this.#optimizer.tell(solutions);
    this.#generation++;
    this.#applied.set(this.#generation, trials.map(({ number }) => number).join());
    this.#optimizer = this.#next(this.#optimizer) ?? this.#optimizer;
  }

  #lossOf(trial: FrozenTrial): number | undefined {
    if (trial.state === 'COMPLETE') return trial.values?.[0];
    if (trial.state !== 'PRUNED' || !this.#parts.considerPruned || trial.lastStep === undefined) return undefined;
    const value = trial.intermediateValues[trial.lastStep];
    return value === undefined || Number.isNaN(value) ? undefined : value;
  }
}
