import { parseJson, stringifyJson } from '../core/json.js';
import type { AttributeTexts } from '../core/frozen-trial.js';

/** Parents of a generation of NSGA-II or NSGA-III: a list of trial ids. */
const PARENTS = /^\w+:parent:\d+$/;
/** A note that the dashboard keeps about a trial, named by its id. */
const NOTE = /^(dashboard:)(\d+)(:.*)$/s;

/** System attributes of a study with the trial ids within them replaced; all other texts stay as they are. */
export function withTrialIds(texts: AttributeTexts, idOf: (trialId: number) => number | undefined): AttributeTexts {
  return Object.fromEntries(
    Object.entries(texts).map(([key, text]) => {
      const [, before, id, after] = NOTE.exec(key) ?? [];
      if (id !== undefined) return [`${before ?? ''}${idOf(Number(id)) ?? id}${after ?? ''}`, text];
      return [key, PARENTS.test(key) ? withParents(text, idOf) : text];
    }),
  );
}

function withParents(text: string, idOf: (trialId: number) => number | undefined): string {
  const ids = parseJson(text);
  return Array.isArray(ids) ? stringifyJson(ids.map((id) => idOf(Number(id)) ?? Number(id))) : text;
}
