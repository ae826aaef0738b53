import { TRIAL_ATTRIBUTE, type FrozenTrial } from '../core/frozen-trial.js';
import { UsageError } from '../core/errors.js';
import { rangeText } from '../app/views/report-content.js';
import { reasonOf } from '../app/views/study-report.js';
import { listTrialFiles, readJsonFile, trialDirectory } from '../app/trials/trial-files.js';
import { notedTrials, readNote } from '../app/trials/trial-notes.js';
import type { AxisFilter, TrialDetail, TrialPage } from './api-types.js';
import { attributeLines, finiteOr, shownParams, trialLine } from './serialize.js';
import type { OpenedStudy } from './open-studies.js';
import { metricNames } from './study-answers.js';

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

/** Lists as they were sorted last: turning a page sorts nothing. */
const sortedLists = new Map<string, readonly FrozenTrial[]>();
const MOST_LISTS = 12;

/** One page of the trials that pass the filters, sorted. Trials without the value sorted by come last. */
export function trialPage(opened: OpenedStudy, query: TrialQuery): TrialPage {
  const { study, revision, entry } = opened;
  const { offset, limit, ...choice } = query;
  const notes = notedTrials(study);
  const key = JSON.stringify([entry.id, revision, choice]);
  let list = sortedLists.get(key);
  if (list === undefined) {
    list = sortedTrials(opened, query, notes);
    sortedLists.set(key, list);
    for (const old of sortedLists.keys()) {
      if (sortedLists.size <= MOST_LISTS) break;
      sortedLists.delete(old);
    }
  }
  const rows = list.slice(offset, offset + limit).map((trial) => trialLine(trial, notes));
  return { rows, total: list.length, revision };
}

function sortedTrials(
  { study }: OpenedStudy,
  query: TrialQuery,
  notes: ReadonlyMap<number, readonly string[]>,
): FrozenTrial[] {
  const names = metricNames(study);
  const words = query.words.toLowerCase().split(/\s+/).filter(Boolean);
  const passing = study.history.all.filter(
    (trial) =>
      (query.states.length === 0 || query.states.includes(trial.isInterrupted ? 'INTERRUPTED' : trial.state)) &&
      query.axes.every((axis) => passesAxis(trial, axis, names)) &&
      (words.length === 0 || hasWords(trial, words, notes)),
  );
  const keyOf = sortKey(query.sort);
  const keyed = passing.map((trial) => ({ trial, key: keyOf(trial) }));
  const sign = query.descending ? -1 : 1;
  keyed.sort((a, b) => {
    if (a.key === undefined || b.key === undefined) {
      return Number(a.key === undefined) - Number(b.key === undefined) || sign * (a.trial.number - b.trial.number);
    }
    return a.key < b.key ? -sign : a.key > b.key ? sign : sign * (a.trial.number - b.trial.number);
  });
  return keyed.map(({ trial }) => trial);
}

function passesAxis(trial: FrozenTrial, axis: AxisFilter, names: readonly string[]): boolean {
  if (axis.kind === 'value') {
    const value = trial.state === 'COMPLETE' ? trial.values?.[Math.max(0, names.indexOf(axis.name))] : undefined;
    return value !== undefined && value >= (axis.min ?? -Infinity) && value <= (axis.max ?? Infinity);
  }
  const internal = trial.internalParams[axis.name];
  const value = internal === undefined ? undefined : trial.distributions[axis.name]?.toExternal(internal);
  if (axis.oneOf !== undefined) return axis.oneOf.includes(value === undefined ? 'None' : String(value));
  return typeof value === 'number' && value >= (axis.min ?? -Infinity) && value <= (axis.max ?? Infinity);
}

/** What the words of a filter are looked for in, all but the tags; a trial as read never changes. */
const searchTexts = new WeakMap<FrozenTrial, string>();

function searchText(trial: FrozenTrial): string {
  let text = searchTexts.get(trial);
  if (text === undefined) {
    const state = trial.isInterrupted ? 'INTERRUPTED' : trial.state;
    const params = Object.entries(shownParams(trial)).map(([name, value]) => `${name}=${String(value)}`);
    text = [`#${trial.number}`, state, ...params, reasonOf(trial) ?? ''].join(' ').toLowerCase();
    searchTexts.set(trial, text);
  }
  return text;
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

function sortKey(sort: string): (trial: FrozenTrial) => number | string | undefined {
  const [, kind, name = ''] = /^(\w+)(?::([\s\S]*))?$/.exec(sort) ?? [];
  switch (kind) {
    case 'state':
      return (trial) => (trial.isInterrupted ? 'INTERRUPTED' : trial.state);
    case 'seconds':
      return (trial) => trial.duration;
    case 'value':
      return (trial) => trial.values?.[Number(name)];
    case 'param':
      return (trial) => {
        const internal = trial.internalParams[name];
        if (internal === undefined) return undefined;
        const value = trial.distributions[name]?.toExternal(internal);
        return typeof value === 'number' ? value : String(value);
      };
    default:
      return (trial) => trial.number;
  }
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
        : Object.fromEntries(Object.entries(constraints).map(([name, value]) => [name, finiteOr(value)])),
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
