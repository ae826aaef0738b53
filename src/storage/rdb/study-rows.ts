import { StudyNotFoundError } from '../../core/errors.js';
import type { StudyRecord } from '../storage.js';
import { execute, queueRead, type SqlValue, type Transaction } from './statement.js';
import type { Statements } from './statements.js';
import { texts } from './trial-rows.js';

/** A study with its attributes, given by its row. */
export function* readStudyRow(s: Statements, row: Readonly<Record<string, SqlValue>>): Transaction<StudyRecord> {
  const studyId = Number(row['study_id']);
  const directions = yield queueRead(s.directionsOf, studyId);
  const userAttrs = yield queueRead(s.studyUserAttrs, studyId);
  const systemAttrs = yield execute(s.studySystemAttrs, studyId);
  return {
    studyId,
    studyName: String(row['study_name']),
    directions: directions.rows.map(({ direction }) => (direction === 'MAXIMIZE' ? 'maximize' : 'minimize')),
    userAttrTexts: texts(userAttrs.rows),
    systemAttrTexts: texts(systemAttrs.rows),
  };
}

/** @throws StudyNotFoundError */
export function* requireStudy(s: Statements, studyId: number): Transaction<void> {
  if ((yield execute(s.studyById, studyId)).rows.length === 0) throw new StudyNotFoundError(`id ${studyId}`);
}
