import type { AttributeTexts, FrozenTrial, TrialTemplate } from '../core/frozen-trial.js';
import type { CategoricalDistribution, Distribution } from '../core/distributions.js';
import type { StudyDirection } from '../core/study-direction.js';
import type { TrialState } from '../core/trial-state.js';

/*
 * The promise that every storage keeps; `test/contracts/storage-contract.ts` holds each of them to it.
 *
 * - Every call is atomic: it takes effect whole or not at all, and once its promise has resolved, what it wrote
 *   survives the end of this process (a storage in memory: as long as the process lives).
 * - Calls of one process take effect in the order in which they were made, also when nobody awaited the one before.
 * - A finished trial is never changed (but for `appendChoices`) and never deleted alone; numbers run 0, 1, 2, … without gaps or repeats in the
 *   order of creation, whoever creates; ids are never reused.
 * - Several processes may use one database at once. A WAITING trial is claimed by exactly one of them. Waiting for
 *   another's lock is the storage's business; a caller sees an error only after its time-out (a minute; five for a server that is gone).
 * - Texts of attributes and distributions come back exactly as they were written.
 */

/** A study as stored. */
export interface StudyRecord {
  readonly studyId: number;
  readonly studyName: string;
  readonly directions: readonly StudyDirection[];
  readonly userAttrTexts: AttributeTexts;
  readonly systemAttrTexts: AttributeTexts;
}

/** One change of one trial. Writes of a batch are applied in order, all or none. */
export type TrialWrite =
  /** A repeated name keeps the value stored first. `internal` as in `Distribution.toInternal`. */
  | {
      readonly kind: 'param';
      readonly trialId: number;
      readonly name: string;
      readonly internal: number;
      readonly distribution: Distribution;
    }
  /** Replaces the value of the same step. NaN and infinities allowed. */
  | { readonly kind: 'report'; readonly trialId: number; readonly step: number; readonly value: number }
  | { readonly kind: 'userAttr' | 'systemAttr'; readonly trialId: number; readonly key: string; readonly text: string }
  /**
   * Ends a RUNNING or WAITING trial, or puts it back to WAITING. `values` only with COMPLETE and PRUNED, never NaN.
   * PRUNED without values takes the last report as its value, as Optuna does.
   */
  | {
      readonly kind: 'state';
      readonly trialId: number;
      readonly state: Exclude<TrialState, 'RUNNING'>;
      readonly values?: readonly number[];
      readonly at: string;
    }
  /** Adds a trial of its own, e.g. the retry of one that is failed in the same batch. */
  | { readonly kind: 'create'; readonly studyId: number; readonly template: TrialTemplate };

/** A process that works on studies: which machine, which boot of it, which process. */
export interface ProcessIdentity {
  /** Random, made at start. */
  readonly processId: string;
  readonly host: string;
  /** Changes when the machine restarts; empty where unknown. */
  readonly bootId: string;
  readonly pid: number;
  /** Start time of the process in the system's own count, so that a reused pid is not taken for it; empty where unknown. */
  readonly startTime: string;
}

export interface ProcessRecord extends ProcessIdentity {
  /** Naive UTC. */
  readonly registeredAt: string;
  readonly heartbeatAt: string;
}

/** Who runs a RUNNING trial; undefined where it was not started by resweep (or its process has left). */
export interface TrialOwner {
  readonly trialId: number;
  readonly process: ProcessRecord | undefined;
  /** Optuna's heartbeat of this trial, naive UTC, where it has one. */
  readonly trialHeartbeatAt: string | undefined;
}

/** Place in the stream of changes of one study; opaque, made by `sync`. */
export interface SyncCursor {
  readonly studyId: number;
}

/** Who holds a lease. */
export interface LeaseRecord {
  readonly holder: string;
  readonly beat: number;
}

/** Who takes a trial. */
export interface ClaimOptions {
  /** Key of the process that runs it. */
  readonly owner?: string | undefined;
  /** Place of the caller, who then need not hear of this change again. */
  readonly cursor?: SyncCursor | undefined;
}

export interface CreateOptions extends ClaimOptions {
  /** Trials that the study shall have at most. */
  readonly limit?: number | undefined;
  readonly ifQuiet?: boolean | undefined;
}

export interface Storage {
  /** Where it is, without any password. */
  readonly location: string;
  /** False for one that forgets everything when the process ends. */
  readonly persistent: boolean;

  /** @throws DuplicatedStudyError */
  createStudy(
    name: string,
    directions: readonly StudyDirection[],
    attrs?: { user?: AttributeTexts; system?: AttributeTexts },
  ): Promise<StudyRecord>;
  /**
   * Adds a whole study, all or nothing: numbers, states, texts and times as given, ids too where none of them was ever given out
   * here (otherwise system attributes that name trials follow). Returns the study as it is here. @throws DuplicatedStudyError
   */
  addStudy(study: StudyRecord, trials: readonly FrozenTrial[]): Promise<StudyRecord>;
  findStudy(name: string): Promise<StudyRecord | undefined>;
  /** All studies, by id. */
  listStudies(): Promise<StudyRecord[]>;
  /** Removes a study with its trials; its ids are not given out again. */
  deleteStudy(studyId: number): Promise<void>;
  /** Reads attributes anew. @throws StudyNotFoundError */
  readStudy(studyId: number): Promise<StudyRecord>;
  /** Sets attributes of a study; others stay. */
  setStudyAttributes(studyId: number, kind: 'user' | 'system', texts: AttributeTexts): Promise<void>;

  /**
   * Adds trials in order, each with the next number. A RUNNING one belongs to the owner. With a `limit` nothing is added (and
   * nothing returned) where the study has that many trials already, superseded ones (`FrozenTrial.isSuperseded`) not counted: so
   * several processes never exceed a total together. With `ifQuiet` and a `cursor` nothing is added either where, since then, a
   * trial was queued or is one more try of another: who does not read the history at each trial must read it now.
   */
  createTrials(studyId: number, templates: readonly TrialTemplate[], options?: CreateOptions): Promise<FrozenTrial[]>;
  /** Turns the WAITING trial with the lowest number into RUNNING and gives it to this caller alone; undefined where none waits. */
  claimWaitingTrial(studyId: number, at: string, options?: ClaimOptions): Promise<FrozenTrial | undefined>;
  /**
   * Applies all writes in one transaction; returns the trials that it created.
   * @throws UpdateFinishedTrialError where a trial is finished already; then nothing was written.
   */
  write(writes: readonly TrialWrite[], cursor?: SyncCursor): Promise<FrozenTrial[]>;
  /**
   * Trials that are new or may have changed since `cursor` (all without one), by number. Own changes that were written with
   * `cursor` passed to `write` need not come again. Cheap where nothing changed. Of a fleet's many running trials, an attribute that
   * was replaced may be seen some minutes later, or at the trial's end; with `exact` at once.
   */
  sync(
    studyId: number,
    cursor?: SyncCursor,
    options?: { exact?: boolean },
  ): Promise<{ trials: FrozenTrial[]; cursor: SyncCursor }>;
  /** The same with the study itself, all as it was at one moment: for copies. */
  export(
    studyId: number,
    cursor?: SyncCursor,
  ): Promise<{ study: StudyRecord; trials: FrozenTrial[]; cursor: SyncCursor }>;

  /** Enters this process, or renews its entry. */
  registerProcess(process: ProcessIdentity, at: string): Promise<void>;
  /** Renews the heartbeats of the process and of the trials it runs. */
  heartbeat(processId: string, runningTrialIds: readonly number[], at: string): Promise<void>;
  /** Removes the entry; its RUNNING trials have no owner from then on. */
  unregisterProcess(processId: string): Promise<void>;
  /** Every RUNNING trial of a study with its owner. With the caller's place, what was finished the last time is not looked at again. */
  runningTrials(studyId: number, cursor?: SyncCursor): Promise<TrialOwner[]>;
  /** Every process that has entered and not left, dead ones too; none for a storage in memory. */
  processes(): Promise<ProcessRecord[]>;

  /**
   * Gives a categorical parameter more choices at the end of its list, in all rows of a study in one transaction: the one change
   * that finished trials know. Values stay what they are. Readers must load the study anew. Returns how many rows changed.
   * @throws UsageError while a trial runs, or where an earlier choice would change
   */
  appendChoices(studyId: number, name: string, distribution: CategoricalDistribution): Promise<number>;

  /**
   * Takes or renews a lease: what only one process does at a time. Returns who holds it then, with a beat that moves while its
   * holder lives; another's is taken over by naming its last beat, once that has not moved for long enough.
   */
  lease(name: string, holder: string, takeOver?: LeaseRecord): Promise<LeaseRecord>;
  /** Gives a lease back, where this holder has it. */
  releaseLease(name: string, holder: string): Promise<void>;

  /** Leaves the database as other programs like it (SQLite: no WAL). Further calls fail. */
  close(): Promise<void>;
}
