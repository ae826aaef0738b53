import { UsageError } from '../../core/errors.js';
import type { FrozenTrial } from '../../core/frozen-trial.js';
import type { JsonValue } from '../../core/json.js';
import type { StudyDirection } from '../../core/study-direction.js';
import type { Study } from '../../study/study.js';
import { openTarget } from '../studies/open-target.js';
import { trialRow, type TrialRow } from './study-report.js';
import { bestOf, countTrials, type BestTrial, type TrialCounts } from '../sweep/sweep-summary.js';

/** One study in a comparison. */
export interface StudySide {
  readonly study: string;
  readonly storage: string;
  readonly directions: readonly StudyDirection[];
  readonly metricNames: readonly string[] | null;
  readonly trials: TrialCounts;
  readonly best: BestTrial | null;
  /** Size of the Pareto front; with one objective null. */
  readonly front: number | null;
  /** Median time of a completed trial. */
  readonly medianSeconds: number | null;
}

export interface Comparison<Side> {
  readonly kind: 'studies' | 'trials';
  readonly a: Side;
  readonly b: Side;
  /** Which has the better value; null where they are equal or cannot be compared. */
  readonly better: 'a' | 'b' | null;
  /** Value of b less that of a, with one objective. */
  readonly difference: number | null;
  /** Parameters (of studies: of their best trials) side by side; null where one has none of the name. */
  readonly params: Readonly<Record<string, { readonly a: JsonValue; readonly b: JsonValue; readonly same: boolean }>>;
}

/** Two trials of one study. @throws UsageError where there is no such number */
export async function compareTrials(options: {
  readonly numbers: readonly [number, number];
  readonly target: string | undefined;
  readonly studyName: string | undefined;
}): Promise<Comparison<TrialRow> & { study: string; metricNames: readonly string[] | null }> {
  const opened = await openTarget(options.target, { studyName: options.studyName });
  try {
    const { study } = opened;
    await study.sync();
    const [a, b] = options.numbers.map((number) => trialOf(study, number)) as [FrozenTrial, FrozenTrial];
    return {
      kind: 'trials',
      study: study.studyName,
      metricNames: study.metricNames ?? null,
      a: trialRow(a),
      b: trialRow(b),
      ...judge(a.values, b.values, study.directions, study.directions),
      params: sideBySide(a.params, b.params),
    };
  } finally {
    await opened.close();
  }
}

/** Two studies, wherever they are. */
export async function compareStudies(
  a: { readonly target: string; readonly studyName: string | undefined },
  b: { readonly target: string; readonly studyName: string | undefined },
): Promise<Comparison<StudySide>> {
  const [first, second] = [await studySide(a), await studySide(b)];
  const valuesOf = ({ best }: StudySide): readonly number[] | undefined =>
    best?.values ?? (best?.value === undefined ? undefined : [best.value]);
  const isSingle = first.directions.length === 1;
  return {
    kind: 'studies',
    a: first,
    b: second,
    ...(isSingle
      ? judge(valuesOf(first), valuesOf(second), first.directions, second.directions)
      : { better: null, difference: null }),
    params: sideBySide(first.best?.params ?? {}, second.best?.params ?? {}),
  };
}

async function studySide(of: { target: string; studyName: string | undefined }): Promise<StudySide> {
  const opened = await openTarget(of.target, { studyName: of.studyName });
  try {
    const { study } = opened;
    await study.sync();
    const { best, paretoFront } = bestOf(study);
    return {
      study: study.studyName,
      storage: study.storage.location,
      directions: study.directions,
      metricNames: study.metricNames ?? null,
      trials: countTrials(study),
      best,
      front: paretoFront?.length ?? null,
      medianSeconds: medianSeconds(study),
    };
  } finally {
    await opened.close();
  }
}

function medianSeconds(study: Study): number | null {
  const times = study.history.finished
    .filter((trial) => trial.state === 'COMPLETE')
    .flatMap((trial) => trial.duration ?? [])
    .sort((x, y) => x - y);
  const middle = times[Math.floor((times.length - 1) / 2)];
  return middle === undefined ? null : middle / 1000;
}

function trialOf(study: Study, number: number): FrozenTrial {
  const trial = study.history.all[number];
  if (trial === undefined) {
    const { length } = study.history.all;
    throw new UsageError(`There is no trial ${number} in study "${study.studyName}".`, {
      hint: length === 0 ? 'It has no trial yet.' : `Its trials are numbered 0 to ${length - 1}.`,
    });
  }
  return trial;
}

/** With several objectives the one that dominates is better. */
function judge(
  a: readonly number[] | undefined,
  b: readonly number[] | undefined,
  directions: readonly StudyDirection[],
  others: readonly StudyDirection[],
): { better: 'a' | 'b' | null; difference: number | null } {
  if (a === undefined || b === undefined || directions.join() !== others.join())
    return { better: null, difference: null };
  const signs = directions.map((direction, i) => {
    const sign = Math.sign((b[i] ?? NaN) - (a[i] ?? NaN));
    return direction === 'minimize' ? sign : -sign;
  });
  const aWins = signs.some((sign) => sign > 0) && signs.every((sign) => sign >= 0);
  const bWins = signs.some((sign) => sign < 0) && signs.every((sign) => sign <= 0);
  const difference = directions.length === 1 ? (b[0] ?? NaN) - (a[0] ?? NaN) : null;
  return { better: aWins ? 'a' : bWins ? 'b' : null, difference };
}

function sideBySide(
  a: Readonly<Record<string, JsonValue>>,
  b: Readonly<Record<string, JsonValue>>,
): Comparison<unknown>['params'] {
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return Object.fromEntries(
    names.map((name) => {
      const [x, y] = [a[name] ?? null, b[name] ?? null];
      return [name, { a: x, b: y, same: Object.is(x, y) && name in a && name in b }];
    }),
  );
}
