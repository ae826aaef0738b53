import type { FrozenTrial } from '../../core/frozen-trial.js';
import type { StudyRecord } from '../storage.js';

/** A study read from a file that is not written: whole, ids and numbers as they were there. */
export interface ForeignStudy {
  readonly study: StudyRecord;
  readonly trials: readonly FrozenTrial[];
}

/** What a file holds. */
export interface ForeignStudies {
  readonly studies: readonly ForeignStudy[];
  /** Sentences about what was passed over. */
  readonly warnings: readonly string[];
}
