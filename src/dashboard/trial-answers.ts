import type { ParamValue } from '../core/distributions.js';
import { TRIAL_ATTRIBUTE, type FrozenTrial } from '../core/frozen-trial.js';
import { UsageError } from '../core/errors.js';
import type { Study } from '../app/studies/study-catalog.js';
import { rangeText } from '../app/views/report-content.js';
import { reasonOf } from '../app/views/study-report.js';
import { listTrialFiles, readJsonFile, trialDirectory } from '../app/trials/trial-files.js';
import { notedTrials, readNote } from '../app/trials/trial-notes.js';
import type { AxisFilter, TrialDetail, TrialLine, TrialPage } from './api-types.js';
import { attributeLines, finiteOr, resultNumber, shownParams, trialLine } from './serialize.js';
import type { OpenedStudy } from './open-studies.js';
import { metricNames } from './study-answers.js';
import { shownState, TrialIndex } from './trial-index.js';

export interface TrialQuery {
  /** `number`, `state`, `seconds`, `value:<index>` or `param:<name>`. */
  readonly sort: string;
  readonly descending: boolean;
  readonly states: readonly string[];
  /** Words that must all occur in the parameters, tags or reason, or `name=value`. */
  readonly words: string;
  readonly axes: readonly AxisFilter[];
  readonly offset: number;
  readonly limit: number;
}

/** The columns of each study as it was last looked at. */
const indexes = new WeakMap<Study, { readonly revision: number; readonly index: TrialIndex }>();

function indexOf({ study, revision }: OpenedStudy): TrialIndex {
  const known = indexes.get(study);
  if (known?.revision === revision) return known.index;
  const index = new TrialIndex(study.history.all.filter(Boolean));
  indexes.set(study, { revision, index });
  return index;
}

/** One page of the trials that pass the filters, sorted. Trials without the value sorted by come last. */
export function trialPage(opened: OpenedStudy, query: TrialQuery): TrialPage {
  const { study, revision } = opened;
  const index = indexOf(opened);
  const notes = notedTrials(study);
  const passes = filterOf(opened, index, query, notes);
  const rows: TrialLine[] = [];
  let total = 0;
  for (const place of index.sorted(query.sort, query.descending)) {
    if (!passes(place)) continue;
    const trial = index.trials[place] as FrozenTrial;
    if (total >= query.offset && rows.length < query.limit) rows.push(trialLine(trial, notes));
    total++;
  }
  prepareSearch(index.trials);
  return { rows, total, revision };
}

/** Whether the trial at a place passes all filters. */
function filterOf(
  { study }: OpenedStudy,
  index: TrialIndex,
  query: TrialQuery,
  notes: ReadonlyMap<number, readonly string[]>,
): (place: number) => boolean {
  const names = metricNames(study);
  const words = query.words.toLowerCase().split(/\s+/).filter(Boolean);
  const tests: ((place: number) => boolean)[] = query.axes.map((axis) => axisTest(index, axis, names));
  if (query.states.length > 0) {
    const states = new Set(query.states);
    tests.push((place) => states.has(shownState(index.trials[place] as FrozenTrial)));
  }
  // The dearest last.
  if (words.length > 0) tests.push((place) => hasWords(index.trials[place] as FrozenTrial, words, notes));
  return (place) => tests.every((test) => test(place));
}

function axisTest(index: TrialIndex, axis: AxisFilter, names: readonly string[]): (place: number) => boolean {
  const { kind, name, min = -Infinity, max = Infinity, oneOf } = axis;
  if (kind === 'value') {
    const objective = Math.max(0, names.indexOf(name));
    return (place) => {
      const { state, values } = index.trials[place] as FrozenTrial;
      const value = state === 'COMPLETE' ? (values?.[objective] ?? NaN) : NaN;
      return value >= min && value <= max;
    };
  }
  const column = index.column(`param:${name}`);
  if (oneOf !== undefined) {
    const chosen = new Set(oneOf);
    const textOf = (place: number): string | undefined => {
      if ('texts' in column) return column.texts[place];
      const number = column.numbers[place] as number;
      return Number.isNaN(number) ? undefined : String(number);
    };
    return (place) => chosen.has(textOf(place) ?? 'None');
  }
  if ('texts' in column) return () => false;
  const { numbers } = column;
  return (place) => (numbers[place] as number) >= min && (numbers[place] as number) <= max;
}

/** What the words of a filter are looked for in, all but the tags; a trial as read never changes. */
const searchTexts = new WeakMap<FrozenTrial, string>();

function searchText(trial: FrozenTrial): string {
  let text = searchTexts.get(trial);
  if (text === undefined) {
    const params = trial.state === 'WAITING' ? Object.entries(shownParams(trial)) : givenParams(trial);
    const assigned = params.map(([name, value]) => `${name}=${String(value)}`);
    text = [`#${trial.number}`, shownState(trial), ...assigned, reasonOf(trial) ?? ''].join(' ').toLowerCase();
    searchTexts.set(trial, text);
  }
  return text;
}

function givenParams({ internalParams, distributions }: FrozenTrial): [string, ParamValue | undefined][] {
  return Object.keys(internalParams).map((name) => [
    name,
    distributions[name]?.toExternal(internalParams[name] ?? NaN),
  ]);
}

/** Trials whose texts are made in one go, which takes about a millisecond. */
const PREPARED_AT_ONCE = 200;
/** Lists of trials whose texts are made, or being made. */
const prepared = new WeakSet<readonly FrozenTrial[]>();

/** Makes the texts while nobody waits: the first letter of a filter then finds them. */
function prepareSearch(trials: readonly FrozenTrial[]): void {
  if (prepared.has(trials)) return;
  prepared.add(trials);
  const go = (from: number): void => {
    for (const trial of trials.slice(from, from + PREPARED_AT_ONCE)) searchText(trial);
    if (from + PREPARED_AT_ONCE < trials.length) setTimeout(go, 1, from + PREPARED_AT_ONCE).unref();
  };
  setTimeout(go, 1, 0).unref();
}

function hasWords(
  trial: FrozenTrial,
  words: readonly string[],
  notes: ReadonlyMap<number, readonly string[]>,
): boolean {
  const tags = notes.get(trial.trialId)?.map((tag) => `#${tag}`.toLowerCase()) ?? [];
  const text = searchText(trial);
  return words.every((word) => text.includes(word) || tags.some((tag) => tag.includes(word)));
}

/** @throws UsageError for a number that no trial has */
export function trialOf({ study }: OpenedStudy, number: number): FrozenTrial {
  const trial = study.history.all[number];
  if (trial === undefined) throw new UsageError(`There is no trial ${number}.`, { code: 'TRIAL_NOT_FOUND' });
  return trial;
}

export function trialDetail(opened: OpenedStudy, number: number): TrialDetail {
  const { study, entry } = opened;
  const trial = trialOf(opened, number);
  const folder = trialDirectory(study, trial, entry);
  const files = folder === undefined ? [] : listTrialFiles(folder);
  const line = trialLine(trial, notedTrials(study));
  const { constraints } = trial;
  return {
    ...line,
    trialId: trial.trialId,
    completedAt: trial.datetimeComplete?.toISOString() ?? null,
    curve: Object.entries(trial.intermediateValues)
      .map(([step, value]) => [Number(step), finiteOr(value)] as const)
      .sort(([a], [b]) => a - b),
    constraints:
      constraints === undefined
        ? null
        : Object.fromEntries(Object.entries(constraints).map(([name, value]) => [name, resultNumber(value)])),
    userAttrs: attributeLines(trial.userAttrs),
    failureLines: failureLines(trial),
    retryOf: retryNumbers(trial),
    retriedBy: study.history.all.filter((other) => retryNumbers(other).includes(number)).map((other) => other.number),
    note: readNote(study, trial.trialId),
    folder: folder === undefined ? null : folder.slice((entry.studyDir ?? '').length + 1),
    files,
    benchmark: folder === undefined ? null : (readJsonFile(folder, 'benchmark.json') ?? null),
    hasLog: files.some(({ name }) => name === 'log.txt'),
    ranges: Object.fromEntries(
      Object.entries(trial.distributions).map(([name, distribution]) => [name, rangeText(distribution)]),
    ),
  };
}

function retryNumbers(trial: FrozenTrial): number[] {
  if (trial.systemAttrTexts[TRIAL_ATTRIBUTE.retryHistory] === undefined) return [];
  const history = trial.systemAttr(TRIAL_ATTRIBUTE.retryHistory);
  return Array.isArray(history) ? history.map(Number) : [];
}

function failureLines(trial: FrozenTrial): string[] {
  const failure = trial.systemAttr(TRIAL_ATTRIBUTE.failure);
  if (failure === undefined || failure === null || typeof failure !== 'object') return [];
  const lines = (failure as { last_lines?: unknown }).last_lines;
  return Array.isArray(lines) ? lines.map(String) : [];
}
