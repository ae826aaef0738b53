import { UsageError } from '../../core/errors.js';
import { stringifyJson } from '../../core/json.js';
import { askTrial, tellTrial } from '../../app/exchange/ask-tell.js';
import type { AskArguments, TellArguments } from '../arguments.js';
import { outputOf } from '../common-options.js';
import { formatNumber } from '../output.js';

/** `resweep ask`. A program reads what it prints: JSON with `--json` and without. */
export async function ask(args: AskArguments): Promise<void> {
  const output = outputOf(args);
  const { study, number, params } = await askTrial({
    target: args.target,
    studyName: args.study,
    searchSpace: args.searchSpace,
    sampler: args.sampler,
    directions: args.direction,
    heartbeat: args.heartbeat,
  });
  if (output.json) output.document({ study, number, params });
  else output.print(stringifyJson({ study, number, params }));
}

const STATES = { complete: 'COMPLETE', pruned: 'PRUNED', fail: 'FAIL' } as const;

/** `resweep tell NUMBER`. */
export async function tell(args: TellArguments): Promise<void> {
  const output = outputOf(args);
  if (!Number.isInteger(args.number) || args.number < 0)
    throw new UsageError(`The number of a trial is a whole number, but got ${args.number}.`);
  const values = args.values?.flatMap((text) => text.split(',')).map(numberOf);
  if (!args.heartbeat && values === undefined && args.state === undefined)
    throw new UsageError('What is to be recorded?', {
      hint: '--values 0.93, --state pruned, --state fail or --heartbeat',
    });
  const { study, trial } = await tellTrial({
    target: args.target,
    studyName: args.study,
    number: args.number,
    values,
    state: args.state === undefined ? undefined : STATES[args.state],
    skipIfFinished: args.skipIfFinished,
    heartbeat: args.heartbeat,
  });
  const shown = trial.values === undefined ? null : [...trial.values];
  if (output.json) output.document({ study, number: trial.number, state: trial.state, values: shown });
  else {
    output.print(
      `Trial ${trial.number} of "${study}" is ${trial.state.toLowerCase()}${shown === null ? '' : `: ${shown.map(formatNumber).join(', ')}`}.`,
    );
  }
}

/** A number as people and Python write it. @throws UsageError */
function numberOf(text: string): number {
  const word = text.trim().toLowerCase();
  if (word === 'nan') return NaN;
  const infinite = /^([+-]?)inf(?:inity)?$/.exec(word);
  if (infinite !== null) return infinite[1] === '-' ? -Infinity : Infinity;
  if (word === '' || Number.isNaN(Number(word)))
    throw new UsageError(`"${text}" is no number.`, { hint: '--values 0.93 (negative: --values=-1; also nan, inf)' });
  return Number(word);
}
