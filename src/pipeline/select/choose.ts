import { UsageError } from '../../core/errors.js';
import { nearestName } from '../../core/nearest-name.js';
import { isBetter, type StudyDirection } from '../../core/study-direction.js';
import type { SelectConfig } from '../../core/sweep-config.js';

/** Something that can be chosen, with everything that is known of it in numbers. */
export interface Candidate {
  /** For people: `trial 7`, `cnn trial 7`. */
  readonly label: string;
  /** Metrics and benchmark numbers by name. */
  readonly numbers: Readonly<Record<string, number>>;
}

/** What is chosen by. */
export interface ChoiceRules {
  readonly select: SelectConfig;
  /** Names of the objectives and which way each is better, the first one being the one that decides. */
  readonly objectives: readonly { readonly name: string; readonly goal: StudyDirection }[];
  /** Which way other numbers are better. */
  readonly directions: Readonly<Record<string, StudyDirection>>;
  /** Whether an expression over the numbers holds. @throws UsageError */
  readonly holds: (rule: string, numbers: Readonly<Record<string, number>>) => boolean;
  /** Names that an expression mentions. */
  readonly namesIn: (rule: string) => readonly string[];
}

export interface Choice<C extends Candidate> {
  readonly chosen: C;
  /** Why, in one sentence. */
  readonly reason: string;
  /** Those that no other beats in everything that was looked at, the chosen one among them or better in the deciding number. */
  readonly pareto: readonly C[];
  readonly leftOut: readonly { readonly label: string; readonly reason: string }[];
}

/** Names of the numbers that the rules ask for beside the objectives. */
export function numbersAskedFor(rules: Pick<ChoiceRules, 'select' | 'objectives' | 'namesIn'>): string[] {
  const { select, objectives, namesIn } = rules;
  const names = [
    ...(select.then === undefined ? [] : [select.then.name]),
    ...Object.keys(select.weights ?? {}),
    ...select.constraints.flatMap((rule) => namesIn(rule)),
  ];
  return [...new Set(names)].filter((name) => !objectives.some((objective) => objective.name === name));
}

/**
 * Chooses one of the candidates: those that keep every constraint, then by weights, or the best in `then` among those within reach of
 * the best objective, or simply the best objective. Ties go to the earlier one.
 * @throws UsageError for a name that no candidate has, and where nothing is left to choose from
 */
export function choose<C extends Candidate>(candidates: readonly C[], rules: ChoiceRules): Choice<C> {
  const { select, objectives } = rules;
  const asked = numbersAskedFor(rules);
  checkNames(candidates, asked);
  const leftOut: { label: string; reason: string }[] = [];
  const able = candidates.filter((candidate) => {
    const missing = asked.filter((name) => candidate.numbers[name] === undefined);
    const broken = missing.length > 0 ? [] : select.constraints.filter((rule) => !rules.holds(rule, candidate.numbers));
    if (missing.length > 0) leftOut.push({ label: candidate.label, reason: `not measured: ${missing.join(', ')}` });
    else if (broken.length > 0) leftOut.push({ label: candidate.label, reason: `breaks ${broken.join(', ')}` });
    return missing.length === 0 && broken.length === 0;
  });
  const [first] = able;
  if (first === undefined) {
    const reasons = leftOut.map(({ label, reason }) => `${label} ${reason}`).slice(0, 5);
    throw new UsageError(`No configuration can be chosen: ${reasons.join('; ') || 'no trial is complete'}.`, {
      hint: 'Measure the models first (resweep benchmark CONFIG), measure more of them (benchmark.top), or loosen select.constraints.',
    });
  }
  const { chosen, reason } = decide(able, rules, first);
  const looked = [
    ...objectives,
    ...asked.map((name) => ({ name, goal: rules.directions[name] ?? ('minimize' as const) })),
  ];
  return { chosen, reason, pareto: paretoOf(able, looked), leftOut };
}

function decide<C extends Candidate>(able: readonly C[], rules: ChoiceRules, first: C): { chosen: C; reason: string } {
  const { select, objectives } = rules;
  const [objective] = objectives;
  const name = objective?.name ?? '';
  const goal = objective?.goal ?? 'minimize';
  if (select.weights !== undefined) return byWeights(able, rules, select.weights, first);
  if (objectives.length > 1 && select.within === undefined && select.then === undefined) {
    const even = Object.fromEntries(objectives.map((each) => [each.name, 1]));
    return byWeights(able, rules, even, first);
  }
  const best = bestIn(able, name, goal, first);
  const bestValue = best.numbers[name] ?? NaN;
  if (select.within === undefined && select.then === undefined)
    return { chosen: best, reason: `best ${name} (${bestValue}) of ${able.length}` };
  const reach = select.within === undefined ? 0 : reachOf(select.within, bestValue);
  const near = able.filter(({ numbers }) => Math.abs((numbers[name] ?? NaN) - bestValue) <= reach);
  const { then } = select;
  if (then === undefined) return { chosen: best, reason: `best ${name} (${bestValue}) of ${able.length}` };
  const chosen = bestIn(near, then.name, then.goal, best);
  return {
    chosen,
    reason: `${then.goal === 'minimize' ? 'lowest' : 'highest'} ${then.name} (${chosen.numbers[then.name] ?? NaN}) of ${near.length} whose ${name} is within ${reach} of the best (${bestValue})`,
  };
}

function reachOf(within: NonNullable<SelectConfig['within']>, best: number): number {
  // A hair more than asked for, so that 0.99 is within 1 % of 1 in binary too.
  const reach = 'share' in within ? Math.abs(best) * within.share : within.absolute;
  return reach * (1 + 1e-9);
}

/** Each number scaled to 0 … 1 over the candidates, 1 being the best. */
function byWeights<C extends Candidate>(
  able: readonly C[],
  rules: ChoiceRules,
  weights: Readonly<Record<string, number>>,
  first: C,
): { chosen: C; reason: string } {
  const scores = able.map(() => 0);
  for (const [name, weight] of Object.entries(weights)) {
    const goal = rules.objectives.find((each) => each.name === name)?.goal ?? rules.directions[name] ?? 'minimize';
    const values = able.map(({ numbers }) => numbers[name] ?? NaN);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    values.forEach((value, index) => {
      const share = high === low ? 1 : (value - low) / (high - low);
      scores[index] = (scores[index] ?? 0) + weight * (goal === 'maximize' ? share : high === low ? 1 : 1 - share);
    });
  }
  const best = scores.indexOf(Math.max(...scores));
  const words = Object.entries(weights).map(([name, weight]) => `${name} × ${weight}`);
  return {
    chosen: able[best] ?? first,
    reason: `highest weighted sum (${words.join(' + ')}), ${Number((scores[best] ?? NaN).toPrecision(4))}, of ${able.length}`,
  };
}

function bestIn<C extends Candidate>(candidates: readonly C[], name: string, goal: StudyDirection, first: C): C {
  return candidates.reduce((best, candidate) => {
    const [value, sofar] = [candidate.numbers[name], best.numbers[name]];
    return value !== undefined && (sofar === undefined || isBetter(goal, value, sofar)) ? candidate : best;
  }, candidates[0] ?? first);
}

function paretoOf<C extends Candidate>(
  candidates: readonly C[],
  looked: readonly { readonly name: string; readonly goal: StudyDirection }[],
): C[] {
  const dominates = (a: C, b: C): boolean => {
    let strictly = false;
    for (const { name, goal } of looked) {
      const [x = NaN, y = NaN] = [a.numbers[name], b.numbers[name]];
      if (isBetter(goal, y, x)) return false;
      if (isBetter(goal, x, y)) strictly = true;
    }
    return strictly;
  };
  return candidates.filter((candidate) => !candidates.some((other) => dominates(other, candidate)));
}

function checkNames(candidates: readonly Candidate[], asked: readonly string[]): void {
  const known = new Set(candidates.flatMap(({ numbers }) => Object.keys(numbers)));
  for (const name of asked) {
    if (known.has(name) || candidates.length === 0) continue;
    const nearest = nearestName(name, known);
    const names = [...known].sort().join(', ');
    const meant = nearest === undefined ? '' : ` Did you mean "${nearest}"?`;
    throw new UsageError(`select: ${name} is neither a metric nor a benchmark number; there are ${names}.${meant}`);
  }
}
