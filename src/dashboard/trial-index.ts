import type { ParamValue } from '../core/distributions.js';
import type { FrozenTrial } from '../core/frozen-trial.js';

/** What trials are sorted by: numbers, NaN where a trial has none; or texts. */
export type Column = { readonly numbers: Float64Array } | { readonly texts: readonly (string | undefined)[] };

/** Trials in the order of one column, by their places: those that have a value in it ascending, and those that have none. */
interface Order {
  readonly having: Uint32Array;
  readonly lacking: Uint32Array;
}

/** The state as it is shown. */
export function shownState(trial: FrozenTrial): string {
  return trial.isInterrupted ? 'INTERRUPTED' : trial.state;
}

/** The trials of a study at one moment as columns, each made when it is first wanted, so that a page of them is found in milliseconds. */
export class TrialIndex {
  /** By number. */
  readonly trials: readonly FrozenTrial[];
  readonly #columns = new Map<string, Column>();
  readonly #orders = new Map<string, Order>();

  constructor(trials: readonly FrozenTrial[]) {
    this.trials = trials;
  }

  /** `number`, `state`, `seconds`, `value:<index>` or `param:<name>`. */
  column(name: string): Column {
    let column = this.#columns.get(name);
    if (column === undefined) {
      column = columnOf(this.trials, name);
      this.#columns.set(name, column);
    }
    return column;
  }

  /** Places of the trials, sorted by a column. Those without a value in it come last. */
  *sorted(name: string, descending: boolean): Generator<number> {
    const { having, lacking } = this.#order(name);
    for (const part of [having, lacking]) {
      for (let i = 0; i < part.length; i++) yield part[descending ? part.length - 1 - i : i] as number;
    }
  }

  #order(name: string): Order {
    let order = this.#orders.get(name);
    if (order === undefined) {
      order = orderOf(this.column(name), this.trials.length);
      this.#orders.set(name, order);
    }
    return order;
  }
}

function columnOf(trials: readonly FrozenTrial[], name: string): Column {
  const [, kind = '', detail = ''] = /^(\w+)(?::([\s\S]*))?$/.exec(name) ?? [];
  const numbers = (valueOf: (trial: FrozenTrial) => number | undefined): Column => ({
    numbers: Float64Array.from(trials, (trial) => valueOf(trial) ?? NaN),
  });
  switch (kind) {
    case 'state':
      return { texts: trials.map(shownState) };
    case 'seconds':
      return numbers(({ duration }) => duration);
    case 'value':
      return numbers(({ values }) => values?.[Number(detail)]);
    case 'param':
      return paramColumn(trials.map((trial) => paramOf(trial, detail)));
    default:
      return numbers(({ number }) => number);
  }
}

/** A parameter's value as the objective saw it; undefined where the trial has none. */
function paramOf(trial: FrozenTrial, name: string): ParamValue | undefined {
  const internal = trial.internalParams[name];
  return internal === undefined ? undefined : trial.distributions[name]?.toExternal(internal);
}

function paramColumn(values: readonly (ParamValue | undefined)[]): Column {
  return values.every((value) => value === undefined || typeof value === 'number')
    ? { numbers: Float64Array.from(values, (value) => value ?? NaN) }
    : { texts: values.map((value) => (value === undefined ? undefined : String(value))) };
}

function orderOf(column: Column, count: number): Order {
  const places = Uint32Array.from({ length: count }, (_, i) => i);
  if ('numbers' in column) {
    const { numbers } = column;
    // Equal infinities differ by NaN: then the place decides, as between all that are equal.
    const having = places.filter((i) => !Number.isNaN(numbers[i]));
    having.sort((a, b) => (numbers[a] as number) - (numbers[b] as number) || a - b);
    return { having, lacking: places.filter((i) => Number.isNaN(numbers[i])) };
  }
  const { texts } = column;
  // Few texts are different: each is compared once, and the places of equal ones stay in order.
  const ranks = new Map([...new Set(texts)].sort(byText).map((text, rank) => [text, rank]));
  const keys = Uint32Array.from(texts, (text) => ranks.get(text) as number);
  const having = places.filter((i) => texts[i] !== undefined);
  having.sort((a, b) => (keys[a] as number) - (keys[b] as number) || a - b);
  return { having, lacking: places.filter((i) => texts[i] === undefined) };
}

function byText(a: string | undefined, b: string | undefined): number {
  if (a === undefined || b === undefined) return 0;
  return a < b ? -1 : a > b ? 1 : 0;
}
