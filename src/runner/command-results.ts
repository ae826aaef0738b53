import type { JsonValue } from '../core/json.js';
import { readLastNumber } from './command-output.js';
import type { TrialOutcome, TrialTask } from './objective.js';
import { outcomeOf } from './outcome.js';

type Result = Readonly<Record<string, JsonValue>>;

/** Finds the result in what a command wrote. */
export class CommandResults {
  readonly #metrics: TrialTask['metrics'];
  /** The last that names what is looked for. */
  #result: Result | undefined;
  /** The last of all: a line of a log, or the result with a metric misspelt. */
  #other: Result | undefined;
  #lastText = '';
  #reports = 0;

  constructor(metrics: TrialTask['metrics']) {
    this.#metrics = metrics;
  }

  takeText(line: string): void {
    const text = line.trim();
    if (text !== '') this.#lastText = text;
  }

  takeReport(): void {
    this.#reports++;
  }

  takeResult(result: Result): void {
    const isNamed = 'value' in result || 'values' in result || this.#metrics.every(({ name }) => name in result);
    if (isNamed) this.#result = result;
    else this.#other = result;
  }

  /** The last line that is not blank. */
  get lastText(): string {
    return this.#lastText;
  }

  /** What a command that ended well gave back: an object with the metrics, else a number in the last line. */
  outcome(): TrialOutcome {
    const value = this.#result ?? readLastNumber(this.#lastText) ?? this.#other;
    return value === undefined
      ? { state: 'failed', failure: { message: this.#nothing(), lastLines: [] } }
      : outcomeOf(value, this.#metrics);
  }

  #nothing(): string {
    const wanted =
      this.#metrics.length === 1
        ? 'a number, or {"value": …}'
        : `{${this.#metrics.map(({ name }) => `"${name}": …`).join(', ')}}`;
    if (this.#lastText === '') return `The command wrote nothing: its last line must be ${wanted}.`;
    const reported =
      this.#reports === 0
        ? ''
        : ` It reported ${this.#reports} intermediate values; the result is a line of its own, without a step.`;
    return `The command's last line is not a value: ${JSON.stringify(this.#lastText.slice(0, 300))}. It must be ${wanted}.${reported}`;
  }
}
