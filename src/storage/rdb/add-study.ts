import { DuplicatedStudyError } from '../../core/errors.js';
import type { FrozenTrial } from '../../core/frozen-trial.js';
import type { StudyRecord } from '../storage.js';
import { withTrialIds } from '../trial-references.js';
import { execute, queue, type Transaction } from './statement.js';
import type { Statements } from './statements.js';
import { queueTrialParts } from './trial-writes.js';

/** Trials written between two answers of a server. */
const BATCH = 200;

/**
 * Adds a whole study. Its ids stay what they are where none of them was ever given out here; otherwise those of the trials move up
 * together, and so do the attributes that name them.
 */
export function* addStudy(
  s: Statements,
  reusesIds: boolean,
  study: StudyRecord,
  trials: readonly FrozenTrial[],
): Transaction<StudyRecord> {
  if ((yield execute(s.studyByName, study.studyName)).rows.length > 0) throw new DuplicatedStudyError(study.studyName);
  const lastStudy = Number((yield execute(s.maxStudyId)).rows[0]?.['id'] ?? 0);
  const lastTrial = Number((yield execute(s.maxTrialId)).rows[0]?.['id'] ?? 0);
  const deleted = reusesIds ? Number((yield execute(s.counter, 'study_id')).rows[0]?.['value'] ?? 0) : 0;
  const studyId = Math.max(study.studyId, lastStudy + 1, deleted + 1);
  const ids = trials.map((trial) => trial.trialId);
  const lowest = ids.reduce((a, b) => Math.min(a, b), Infinity);
  const shift = ids.length === 0 || lowest > lastTrial ? 0 : lastTrial + 1 - lowest;
  if (s.raiseStudyId !== undefined) yield queue(s.raiseStudyId, studyId);
  if (s.raiseTrialId !== undefined && ids.length > 0)
    yield queue(s.raiseTrialId, ids.reduce((a, b) => Math.max(a, b), 0) + shift);
  yield queue(s.insertStudyWithId, studyId, study.studyName);
  for (const [objective, direction] of study.directions.entries())
    yield queue(s.insertDirection, studyId, direction.toUpperCase(), objective);
  for (const [key, text] of Object.entries(study.userAttrTexts)) yield queue(s.setStudyUserAttr, studyId, key, text);
  const known = new Set(ids);
  const systemAttrTexts =
    shift === 0
      ? study.systemAttrTexts
      : withTrialIds(study.systemAttrTexts, (id) => (known.has(id) ? id + shift : undefined));
  for (const [key, text] of Object.entries(systemAttrTexts)) yield queue(s.setStudySystemAttr, studyId, key, text);
  for (const [index, trial] of trials.entries()) {
    const trialId = trial.trialId + shift;
    const { number, state, startedAt = null, completedAt = null } = trial;
    const insert = index % BATCH === 0 ? execute : queue;
    yield insert(s.insertTrialWithId, trialId, number, studyId, state, startedAt, completedAt);
    yield* queueTrialParts(s, trialId, trial);
  }
  return { ...study, studyId, systemAttrTexts };
}
