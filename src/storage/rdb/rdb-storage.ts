import { parseDistribution, type CategoricalDistribution } from '../../core/distributions.js';
import { DuplicatedStudyError, StudyNotFoundError } from '../../core/errors.js';
import type { FrozenTrial, AttributeTexts, TrialTemplate } from '../../core/frozen-trial.js';
import type { StudyDirection } from '../../core/study-direction.js';
import type {
  ClaimOptions,
  CreateOptions,
  LeaseRecord,
  ProcessIdentity,
  ProcessRecord,
  Storage,
  StudyRecord,
  SyncCursor,
  TrialOwner,
  TrialWrite,
} from '../storage.js';
import { requireAppended } from '../require-appended.js';
import { addStudy } from './add-study.js';
import type { Engine } from './engine.js';
import { lastWritesOf } from './end-trial.js';
import { beat, enterProcess, giveLeaseBack, leave, readOwners, readProcesses, takeLease } from './processes.js';
import { readChanges } from './rdb-changes.js';
import {
  firstUnfinished,
  follow,
  noteQuiet,
  passOwn,
  quietPlace,
  startOf,
  unseen,
  type RdbCursor,
} from './rdb-cursor.js';
import { COMMIT, execute, queue, type Transaction } from './statement.js';
import type { Statements } from './statements.js';
import { readStudyRow, requireStudy } from './study-rows.js';
import { queueTrial } from './trial-rows.js';
import { applyWrites, createNextTrial, createTrials, endTrialAtOnce, isFresh } from './trial-writes.js';

/** Studies in Optuna's tables, on any engine. */
export class RdbStorage implements Storage {
  readonly persistent = true;
  readonly #engine: Engine;
  readonly #statements: Statements;
  /** Counts what this storage has written, so that `sync` knows what its caller has not seen. */
  #ownChanges = 0;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#statements = engine.statements;
  }

  get location(): string {
    return this.#engine.location;
  }

  // ---- studies -------------------------------------------------------------------------------------------------------

  async createStudy(
    name: string,
    directions: readonly StudyDirection[],
    attrs: { user?: AttributeTexts; system?: AttributeTexts } = {},
  ): Promise<StudyRecord> {
    const { user = {}, system = {} } = attrs;
    try {
      const studyId = await this.#engine.write(() => this.#createStudy(name, directions, user, system));
      return {
        studyId,
        studyName: name,
        directions: [...directions],
        userAttrTexts: { ...user },
        systemAttrTexts: { ...system },
      };
    } catch (error) {
      if (this.#engine.isDuplicateKey(error)) throw new DuplicatedStudyError(name, { cause: error });
      throw error;
    }
  }

  *#createStudy(
    name: string,
    directions: readonly StudyDirection[],
    user: AttributeTexts,
    system: AttributeTexts,
  ): Transaction<number> {
    const s = this.#statements;
    let studyId: number;
    if (this.#engine.reusesIds) {
      const used = Number((yield execute(s.maxStudyId)).rows[0]?.['id'] ?? 0);
      const deleted = Number((yield execute(s.counter, 'study_id')).rows[0]?.['value'] ?? 0);
      studyId = Math.max(used, deleted) + 1;
      yield execute(s.insertStudyWithId, studyId, name);
    } else {
      studyId = (yield execute(s.insertStudy, name)).lastId;
    }
    for (const [objective, direction] of directions.entries()) {
      yield queue(s.insertDirection, studyId, direction.toUpperCase(), objective);
    }
    for (const [key, text] of Object.entries(user)) yield queue(s.setStudyUserAttr, studyId, key, text);
    for (const [key, text] of Object.entries(system)) yield queue(s.setStudySystemAttr, studyId, key, text);
    return studyId;
  }

  async addStudy(study: StudyRecord, trials: readonly FrozenTrial[]): Promise<StudyRecord> {
    this.#ownChanges++;
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#engine.write(() => addStudy(this.#statements, this.#engine.reusesIds, study, trials));
      } catch (error) {
        // Another process took one of the ids in between.
        if (!this.#engine.isDuplicateKey(error) || attempt === 5) throw error;
      }
    }
  }

  async findStudy(name: string): Promise<StudyRecord | undefined> {
    const s = this.#statements;
    return this.#engine.read(function* () {
      const [row] = (yield execute(s.studyByName, name)).rows;
      return row === undefined ? undefined : yield* readStudyRow(s, row);
    });
  }

  async listStudies(): Promise<StudyRecord[]> {
    const s = this.#statements;
    return this.#engine.read(function* () {
      const records: StudyRecord[] = [];
      for (const row of (yield execute(s.allStudies)).rows) records.push(yield* readStudyRow(s, row));
      return records;
    });
  }

  async readStudy(studyId: number): Promise<StudyRecord> {
    const s = this.#statements;
    return this.#engine.read(function* () {
      const [row] = (yield execute(s.studyById, studyId)).rows;
      if (row === undefined) throw new StudyNotFoundError(`id ${studyId}`);
      return yield* readStudyRow(s, row);
    });
  }

  async deleteStudy(studyId: number): Promise<void> {
    const s = this.#statements;
    const { reusesIds } = this.#engine;
    await this.#engine.write(function* () {
      const highest = Number((yield execute(s.maxTrialId)).rows[0]?.['id'] ?? 0);
      for (const statement of s.deleteTrialParts) yield queue(statement, studyId);
      yield queue(s.deleteTrials, studyId);
      yield queue(s.deleteDirections, studyId);
      yield queue(s.deleteStudyUserAttrs, studyId);
      yield queue(s.deleteStudySystemAttrs, studyId);
      if ((yield execute(s.deleteStudy, studyId)).changes === 0) throw new StudyNotFoundError(`id ${studyId}`);
      if (!reusesIds) return;
      // A row of no study keeps the highest trial id taken, for every program that adds trials.
      const left = Number((yield execute(s.maxTrialId)).rows[0]?.['id'] ?? 0);
      if (left < highest) yield execute(s.tombstone, highest);
      const deleted = Number((yield execute(s.counter, 'study_id')).rows[0]?.['value'] ?? 0);
      yield queue(s.setCounter, 'study_id', Math.max(deleted, studyId));
    });
    this.#ownChanges++;
  }

  async setStudyAttributes(studyId: number, kind: 'user' | 'system', attributes: AttributeTexts): Promise<void> {
    const s = this.#statements;
    const statement = kind === 'user' ? s.setStudyUserAttr : s.setStudySystemAttr;
    await this.#engine.write(function* () {
      yield* requireStudy(s, studyId);
      for (const [key, text] of Object.entries(attributes)) yield queue(statement, studyId, key, text);
    });
  }

  // ---- trials --------------------------------------------------------------------------------------------------------

  async createTrials(
    studyId: number,
    templates: readonly TrialTemplate[],
    options: CreateOptions = {},
  ): Promise<FrozenTrial[]> {
    const { owner, limit } = options;
    const place = options.ifQuiet === true ? (options.cursor as RdbCursor | undefined) : undefined;
    const news = place && quietPlace(place);
    const [first] = templates;
    const isPlain = this.#statements.createNext !== undefined && templates.length === 1 && isFresh(first);
    const created = await this.#engine.write(() =>
      isPlain && first !== undefined
        ? createNextTrial(this.#statements, this.#engine.writerId, studyId, first, owner, limit, news)
        : createTrials(this.#statements, studyId, templates, owner, limit, news),
    );
    const last = created.at(-1);
    if (place !== undefined && last !== undefined) noteQuiet(place, last.trialId);
    this.#note(options.cursor, [], created);
    return created;
  }

  async claimWaitingTrial(studyId: number, at: string, options: ClaimOptions = {}): Promise<FrozenTrial | undefined> {
    const s = this.#statements;
    const { owner } = options;
    // Everything before is known to be finished and need not be looked through.
    const after = firstUnfinished(options.cursor as RdbCursor | undefined) - 1;
    const claimed = await this.#engine.write(function* () {
      const [waiting] = (yield execute(s.firstWaiting, studyId, after)).rows;
      if (waiting === undefined) return undefined;
      const trialId = Number(waiting['trial_id']);
      // The row is locked (on SQLite the file is): nobody can have taken it in between.
      yield queue(s.claim, trialId, at);
      if (owner !== undefined) yield queue(s.setOwner, trialId, owner);
      const trial = yield* queueTrial(s, trialId);
      yield COMMIT;
      return trial()[0];
    });
    if (claimed !== undefined) this.#note(options.cursor, [], [claimed]);
    return claimed;
  }

  async write(writes: readonly TrialWrite[], cursor?: SyncCursor): Promise<FrozenTrial[]> {
    if (writes.length === 0) return [];
    const last = this.#statements.endTrial === undefined ? undefined : lastWritesOf(writes);
    const created = await this.#engine.write(() =>
      last === undefined ? applyWrites(this.#statements, writes) : endTrialAtOnce(this.#statements, last),
    );
    this.#note(cursor, writes, created);
    return created;
  }

  async appendChoices(studyId: number, name: string, distribution: CategoricalDistribution): Promise<number> {
    const s = this.#statements;
    this.#ownChanges++;
    return this.#engine.write(function* () {
      const [count] = (yield execute(s.countRunning, studyId)).rows;
      const texts = (yield execute(s.distributionTexts, studyId, name)).rows.map((row) =>
        String(row['distribution_json']),
      );
      requireAppended(name, texts.map(parseDistribution), distribution, Number(count?.['running']));
      return (yield execute(s.replaceDistribution, studyId, name, distribution.json)).changes;
    });
  }

  // ---- changes -------------------------------------------------------------------------------------------------------

  async sync(
    studyId: number,
    cursor?: SyncCursor,
    options: { exact?: boolean } = {},
  ): Promise<{ trials: FrozenTrial[]; cursor: SyncCursor }> {
    const foreign = this.#engine.foreignChanges();
    const place = cursor as RdbCursor | undefined;
    if (place !== undefined && foreign !== undefined && place.foreign === foreign && place.own === this.#ownChanges) {
      place.ended.clear();
      return { trials: [], cursor: place };
    }
    const { trials, cursor: next } = await this.#changes(studyId, place, false, options.exact ?? false);
    return { trials, cursor: next };
  }

  async export(
    studyId: number,
    cursor?: SyncCursor,
  ): Promise<{ study: StudyRecord; trials: FrozenTrial[]; cursor: SyncCursor }> {
    const { study, trials, cursor: next } = await this.#changes(studyId, cursor as RdbCursor | undefined, true, true);
    if (study === undefined) throw new StudyNotFoundError(`id ${studyId}`);
    return { study, trials, cursor: next };
  }

  /** Reads what changed since a place, on one view of the database, and moves the place past it. */
  async #changes(
    studyId: number,
    from: RdbCursor | undefined,
    withStudy: boolean,
    exact: boolean,
  ): Promise<{ study: StudyRecord | undefined; trials: FrozenTrial[]; cursor: RdbCursor }> {
    const s = this.#statements;
    const foreign = this.#engine.foreignChanges();
    const own = this.#ownChanges;
    const place = from ?? startOf(studyId, foreign);
    const read = await this.#engine.read(function* () {
      const [row] = withStudy ? (yield execute(s.studyById, studyId)).rows : [];
      const study = row === undefined ? undefined : yield* readStudyRow(s, row);
      return { study, trials: yield* readChanges(s, studyId, place, exact) };
    });
    place.ended.clear();
    const trials = unseen(place, read.trials);
    follow(place, read.trials);
    place.foreign = foreign;
    place.own = own;
    return { study: read.study, trials, cursor: place };
  }

  /** Counts an own change; a caller who was up to date stays so, since it knows what it wrote. */
  #note(cursor: SyncCursor | undefined, writes: readonly TrialWrite[], created: readonly FrozenTrial[]): void {
    const place = cursor as RdbCursor | undefined;
    // What cannot be told apart from others' changes by counting is told apart by what was seen.
    const upToDate = place?.seen !== undefined || place?.own === this.#ownChanges;
    this.#ownChanges++;
    if (place === undefined || !upToDate) return;
    if (passOwn(place, writes, created)) place.own = this.#ownChanges;
  }

  // ---- processes -----------------------------------------------------------------------------------------------------

  async registerProcess(process: ProcessIdentity, at: string): Promise<void> {
    await this.#engine.write(() => enterProcess(this.#statements, process, at));
  }

  async heartbeat(processId: string, runningTrialIds: readonly number[], at: string): Promise<void> {
    await this.#engine.write(() => beat(this.#statements, processId, runningTrialIds, at));
  }

  async unregisterProcess(processId: string): Promise<void> {
    await this.#engine.write(() => leave(this.#statements, processId));
  }

  async runningTrials(studyId: number, cursor?: SyncCursor): Promise<TrialOwner[]> {
    const place = cursor as RdbCursor | undefined;
    const { firstUnfinished: first, running } = await this.#engine.read(() =>
      readOwners(this.#statements, studyId, place?.finishedTo ?? 0),
    );
    if (place !== undefined && first !== undefined) place.finishedTo = first - 1;
    return running;
  }

  processes(): Promise<ProcessRecord[]> {
    return this.#engine.read(() => readProcesses(this.#statements));
  }

  async lease(name: string, holder: string, takeOver?: LeaseRecord): Promise<LeaseRecord> {
    const take = (): Promise<LeaseRecord> =>
      this.#engine.write(() => takeLease(this.#statements, name, holder, takeOver));
    try {
      return await take();
    } catch (error) {
      if (!this.#engine.isDuplicateKey(error)) throw error;
      // Another entered itself in the same moment.
      return await take();
    }
  }

  async releaseLease(name: string, holder: string): Promise<void> {
    await this.#engine.write(() => giveLeaseBack(this.#statements, name, holder));
  }

  async close(): Promise<void> {
    await this.#engine.close();
  }
}
