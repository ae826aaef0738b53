import type { ParamValue } from '../core/distributions.js';
import type { FrozenTrial } from '../core/frozen-trial.js';
import { parseJson, stringifyJson, type JsonValue } from '../core/json.js';
import type { SamplingTrial } from './sampler.js';

/** Optuna's pieces: what fits MySQL's columns. */
const PIECE = 2045;

/** Tells other workers what a trial is going to try before it has suggested all of it. */
export function shareRelativeParams(
  prefix: string,
  trial: SamplingTrial,
  params: Readonly<Record<string, ParamValue>>,
): void {
  const text = stringifyJson(params);
  for (let i = 0; i * PIECE < text.length; i++) {
    trial.setSystemAttr(`${prefix}${i}`, text.slice(i * PIECE, (i + 1) * PIECE));
  }
}

/** What another worker has told. Empty where it told nothing that can be read. */
export function sharedRelativeParams(prefix: string, trial: FrozenTrial): Readonly<Record<string, JsonValue>> {
  let text = '';
  for (let i = 0; ; i++) {
    const piece = trial.systemAttr(`${prefix}${i}`);
    if (typeof piece !== 'string') break;
    text += piece;
  }
  if (text === '') return {};
  try {
    return parseJson(text) as Readonly<Record<string, JsonValue>>;
  } catch {
    return {}; // Half-written by its worker.
  }
}
