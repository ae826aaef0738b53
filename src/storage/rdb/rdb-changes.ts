import type { FrozenTrial } from '../../core/frozen-trial.js';
import { GROWING_PARTS, type KnownParts, type PartKeys } from './known-parts.js';
import { whatToRead, type RdbCursor } from './rdb-cursor.js';
import { COMMIT, execute, queueRead, type SqlValue, type StepResult, type Transaction } from './statement.js';
import type { Statements } from './statements.js';
import { assembleTrials, queueTrial, queueTrialsAfter, type PartResults } from './trial-rows.js';

type Row = Readonly<Record<string, SqlValue>>;
/** Up to so many unfinished trials are read whole each time: fewer statements, and nothing to keep in mind. */
const READ_WHOLE = 32;
/** A key given out before may be committed later than a higher one; a transaction of ours lasts milliseconds. */
const OVERLAP_MS = 2_000;
/** Rows that may be under way, with keys below the highest one, when such reading begins. */
const IN_FLIGHT = 1_000;
/** Rows of running trials that were replaced, or committed later than that, are found after so long for each `READ_WHOLE` of them. */
const WHOLE_EVERY_MS = 30_000;

/**
 * Reads what may have changed since a place, at most what the place has seen of it again; the place is not moved yet. Trials that are
 * new, or whose state changed, are read whole. Of those that go on running, where they are many, only rows that were added; with
 * `exact` also what was replaced in them.
 */
export function* readChanges(
  s: Statements,
  studyId: number,
  place: RdbCursor,
  exact: boolean,
): Transaction<FrozenTrial[]> {
  const running = place.unfinished.size;
  const { changes } = s;
  if (changes === undefined || place.seen === undefined || running <= READ_WHOLE) {
    place.parts = undefined;
    return yield* readWhole(s, studyId, place);
  }
  const now = performance.now();
  const known = place.parts;
  const isWholeDue = known !== undefined && now - known.wholeAt > WHOLE_EVERY_MS * (running / READ_WHOLE);
  if (exact || known === undefined || isWholeDue) {
    const highest = yield queueRead(changes.highest);
    const trials = yield* readWhole(s, studyId, place);
    const keys = keysOf(highest.rows[0]);
    place.parts = { from: known?.from ?? below(keys, IN_FLIGHT), to: keys, at: now, wholeAt: now };
    return trials;
  }
  return yield* readAdded(s, changes, studyId, place, known, now);
}

function* readWhole(s: Statements, studyId: number, place: RdbCursor): Transaction<FrozenTrial[]> {
  const { single, after } = whatToRead(place);
  const found: (() => FrozenTrial[])[] = [];
  for (const id of single) found.push(yield* queueTrial(s, id));
  found.push(yield* queueTrialsAfter(s, studyId, after));
  yield COMMIT;
  return found.flatMap((trials) => trials());
}

function* readAdded(
  s: Statements,
  changes: NonNullable<Statements['changes']>,
  studyId: number,
  place: RdbCursor,
  known: KnownParts,
  now: number,
): Transaction<FrozenTrial[]> {
  const seen = [...place.unfinished].flatMap((id) => place.seen?.get(id) ?? []);
  const waiting = seen.flatMap((trial) => (trial.state === 'WAITING' ? [trial.trialId] : []));
  // Also those that the caller has ended, which may have got more just before.
  const running = [...seen.flatMap((trial) => (trial.state === 'RUNNING' ? [trial.trialId] : [])), ...place.ended];
  const left = [yield queueRead(changes.leftState, running.join(','), 'RUNNING')];
  if (waiting.length > 0) left.push(yield queueRead(changes.leftState, waiting.join(','), 'WAITING'));
  const grown = {} as Record<(typeof GROWING_PARTS)[number], StepResult>;
  for (const part of GROWING_PARTS) grown[part] = yield queueRead(changes.grown[part], known.from[part], studyId);
  const highest = yield queueRead(changes.highest);
  const added = yield execute(s.trialsAfter, studyId, place.lastId);

  const rows = [...left.flatMap((result) => result.rows), ...added.rows].sort(byTrialId);
  const parts = {} as PartResults;
  const list = rows.map((row) => String(row['trial_id'])).join(',');
  for (const part of ['values', ...GROWING_PARTS] as const) parts[part] = yield queueRead(changes.listed[part], list);
  yield COMMIT;

  const whole = assembleTrials(rows, parts);
  const read = new Set(whole.map((trial) => trial.trialId));
  const grownOnes = withAdded(
    seen.filter((trial) => !read.has(trial.trialId)),
    grown,
  );
  const keys = keysOf(highest.rows[0]);
  const isOld = now - known.at >= OVERLAP_MS;
  place.parts = isOld ? { ...known, from: known.to, to: keys, at: now } : known;
  return [...whole, ...grownOnes].sort((a, b) => a.trialId - b.trialId);
}

/** Those of the trials that got new rows, with them. */
function withAdded(
  trials: readonly FrozenTrial[],
  grown: Record<(typeof GROWING_PARTS)[number], StepResult>,
): FrozenTrial[] {
  const parts: PartResults = {
    values: NO_ROWS,
    params: NO_ROWS,
    reports: NO_ROWS,
    userAttrs: NO_ROWS,
    systemAttrs: NO_ROWS,
  };
  const touched = new Set<number>();
  for (const part of GROWING_PARTS) {
    const { rows } = grown[part];
    for (const row of rows) touched.add(Number(row['trial_id']));
    parts[part] = { rows: [...rows].sort(byTrialId) };
  }
  const bases = trials.filter((trial) => touched.has(trial.trialId)).sort((a, b) => a.trialId - b.trialId);
  const additions = assembleTrials(
    bases.map((trial) => ({ trial_id: trial.trialId, number: trial.number, state: trial.state })),
    parts,
  );
  return bases.map((base, index) => {
    const added = additions[index] ?? base;
    return base.with({
      internalParams: { ...base.internalParams, ...added.internalParams },
      distributions: { ...base.distributions, ...added.distributions },
      intermediateValues: { ...base.intermediateValues, ...added.intermediateValues },
      userAttrTexts: { ...base.userAttrTexts, ...added.userAttrTexts },
      systemAttrTexts: { ...base.systemAttrTexts, ...added.systemAttrTexts },
    });
  });
}

const NO_ROWS = { rows: [] };

function byTrialId(a: Row, b: Row): number {
  return Number(a['trial_id']) - Number(b['trial_id']);
}

function below(keys: PartKeys, by: number): PartKeys {
  const { params, reports, userAttrs, systemAttrs } = keys;
  return { params: params - by, reports: reports - by, userAttrs: userAttrs - by, systemAttrs: systemAttrs - by };
}

function keysOf(row: Row | undefined): PartKeys {
  const key = (part: keyof PartKeys): number => Number(row?.[part] ?? 0);
  return {
    params: key('params'),
    reports: key('reports'),
    userAttrs: key('userAttrs'),
    systemAttrs: key('systemAttrs'),
  };
}
