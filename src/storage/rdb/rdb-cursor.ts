import type { FrozenTrial } from '../../core/frozen-trial.js';
import { isFinished } from '../../core/trial-state.js';
import { applyTrialWrite } from '../apply-trial-write.js';
import type { SyncCursor, TrialWrite } from '../storage.js';
import type { KnownParts } from './known-parts.js';

/** Place in the stream of changes: the highest id seen, the ids that may still change, and what the engine counted then. */
export interface RdbCursor extends SyncCursor {
  lastId: number;
  readonly unfinished: Set<number>;
  /** Ended by own writes since the last `sync`: read again only where others have written too. */
  readonly ended: Set<number>;
  foreign: number | undefined;
  own: number;
  /** Unfinished trials as the caller knows them, where the engine cannot tell that nothing changed: equal ones need not come again. */
  readonly seen: Map<number, FrozenTrial> | undefined;
  /** What is known of the unfinished trials' parts, where only new rows of them are read. */
  parts: KnownParts | undefined;
  /** Up to this id every trial is finished, for a caller who reads no history. */
  finishedTo: number;
  /** Up to this id no trial waited at that time (ms of `performance.now()`), and none was a retry that the caller does not know. */
  quiet: { readonly to: number; readonly at: number } | undefined;
}

/** The place of a caller who has seen nothing yet. */
export function startOf(studyId: number, foreign: number | undefined): RdbCursor {
  return {
    studyId,
    lastId: 0,
    unfinished: new Set(),
    ended: new Set(),
    foreign,
    own: 0,
    seen: foreign === undefined ? new Map() : undefined,
    parts: undefined,
    finishedTo: 0,
    quiet: undefined,
  };
}

/** Those of the trials read that the caller does not know so; before the place moves past them. */
export function unseen(place: RdbCursor, trials: readonly FrozenTrial[]): FrozenTrial[] {
  const { seen } = place;
  if (seen === undefined) return [...trials];
  return trials.filter((trial) => {
    const known = seen.get(trial.trialId);
    // One of no interest that was read since it lies among others.
    if (known === undefined && trial.isFinished && trial.trialId <= place.lastId) return false;
    if (trial.isFinished) seen.delete(trial.trialId);
    else seen.set(trial.trialId, trial);
    return known === undefined || !isSameTrial(known, trial);
  });
}

/** Notes what the caller has written and therefore knows. */
function noteSeen(place: RdbCursor, writes: readonly TrialWrite[], created: readonly FrozenTrial[]): void {
  const { seen } = place;
  if (seen === undefined) return;
  for (const trial of created) seen.set(trial.trialId, trial);
  for (const write of writes) {
    const known = write.kind === 'create' ? undefined : seen.get(write.trialId);
    if (known !== undefined && write.kind !== 'create') seen.set(write.trialId, applyTrialWrite(known, write));
  }
}

/** Whether two states of a trial are equal in all that may change but its times, which change only with its state. */
function isSameTrial(a: FrozenTrial, b: FrozenTrial): boolean {
  return (
    a.state === b.state &&
    isSameRecord(a.values ?? [], b.values ?? []) &&
    isSameRecord(a.internalParams, b.internalParams) &&
    isSameRecord(a.intermediateValues, b.intermediateValues) &&
    isSameRecord(a.userAttrTexts, b.userAttrTexts) &&
    isSameRecord(a.systemAttrTexts, b.systemAttrTexts)
  );
}

function isSameRecord(a: object, b: object): boolean {
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && Object.is(a[key as keyof object], b[key as keyof object]))
  );
}

/** Moves a place past these trials. */
export function follow(place: RdbCursor, trials: readonly FrozenTrial[]): void {
  for (const trial of trials) {
    place.lastId = Math.max(place.lastId, trial.trialId);
    if (trial.isFinished) place.unfinished.delete(trial.trialId);
    else place.unfinished.add(trial.trialId);
  }
}

/** Lowest id that may not be finished. */
export function firstUnfinished(place: RdbCursor | undefined): number {
  if (place === undefined) return 0;
  let first = place.lastId + 1;
  for (const id of place.unfinished) first = Math.min(first, id);
  return first;
}

/** A trial that was queued again in place, which only other programs do, is noticed after so long. */
const QUIET_MS = 15_000;

/** Ids after which waiting trials, and retries, are news to a caller who reads no history. */
export function quietPlace(place: RdbCursor): { waitingAfter: number; retriesAfter: number } {
  const { quiet } = place;
  const to = quiet !== undefined && performance.now() - quiet.at < QUIET_MS ? quiet.to : 0;
  return {
    waitingAfter: Math.max(to, place.finishedTo, firstUnfinished(place) - 1),
    retriesAfter: Math.max(quiet?.to ?? 0, place.lastId),
  };
}

/** No news up to this trial, which was created now. */
export function noteQuiet(place: RdbCursor, trialId: number): void {
  const now = performance.now();
  const isOld = place.quiet === undefined || now - place.quiet.at >= QUIET_MS;
  place.quiet = { to: trialId, at: isOld ? now : (place.quiet?.at ?? now) };
}

/**
 * Moves a place past own writes. Returns whether it is up to date then: not where somebody else's trial may have come in between,
 * which the next sync must find.
 */
export function passOwn(place: RdbCursor, writes: readonly TrialWrite[], created: readonly FrozenTrial[]): boolean {
  noteSeen(place, writes, created);
  let next = place.lastId;
  for (const { trialId } of created) {
    if (trialId > next + 1) return false;
    next = Math.max(next, trialId);
  }
  follow(place, created);
  for (const write of writes) {
    if (write.kind === 'state' && isFinished(write.state) && place.unfinished.delete(write.trialId)) {
      place.ended.add(write.trialId);
    }
  }
  return true;
}

/**
 * Which trials may have changed: all `after` an id, which costs the same few statements however many they are, and before that
 * `single` ones (a trial that was left running long ago), where there are fewer of them than of finished ones around.
 */
export function whatToRead(place: RdbCursor): { single: readonly number[]; after: number } {
  const ids = [...place.unfinished, ...place.ended].sort((a, b) => a - b);
  const from = ids.findIndex((id, at) => place.lastId - id < DENSE * (ids.length - at));
  if (from < 0) return { single: ids, after: place.lastId };
  return { single: ids.slice(0, from), after: (ids[from] ?? 0) - 1 };
}

/** Trials read in a row for each that is wanted among them, where that is no dearer than the wanted ones one by one. */
const DENSE = 8;
