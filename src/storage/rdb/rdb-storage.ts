import { parseDistribution, type CategoricalDistribution } from '../../core/distributions.js';
import { DuplicatedStudyError, StudyNotFoundError, UpdateFinishedTrialError } from '../../core/errors.js';
import { FrozenTrial, type AttributeTexts, type TrialTemplate } from '../../core/frozen-trial.js';
import type { StudyDirection } from '../../core/study-direction.js';
import { isFinished } from '../../core/trial-state.js';
import type {
  ClaimOptions,
  ProcessIdentity,
  ProcessRecord,
  Storage,
  StudyRecord,
  SyncCursor,
  TrialOwner,
  TrialWrite,
} from '../storage.js';
import { requireAppended } from '../require-appended.js';
import type { Engine } from './engine.js';
import { toColumns } from './number-columns.js';
import { firstUnfinished, follow, passOwn, whatToRead, type RdbCursor } from './rdb-cursor.js';
import { execute, type SqlValue, type StepResult, type Transaction } from './statement.js';
import type { Statements } from './statements.js';
import { readStudyRow, requireStudy } from './study-rows.js';
import { readTrial, readTrialsAfter } from './trial-rows.js';

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
      yield execute(s.insertDirection, studyId, direction.toUpperCase(), objective);
    }
    for (const [key, text] of Object.entries(user)) yield execute(s.setStudyUserAttr, studyId, key, text);
    for (const [key, text] of Object.entries(system)) yield execute(s.setStudySystemAttr, studyId, key, text);
    return studyId;
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
      for (const statement of s.deleteTrialParts) yield execute(statement, studyId);
      yield execute(s.deleteTrials, studyId);
      yield execute(s.deleteDirections, studyId);
      yield execute(s.deleteStudyUserAttrs, studyId);
      yield execute(s.deleteStudySystemAttrs, studyId);
      if ((yield execute(s.deleteStudy, studyId)).changes === 0) throw new StudyNotFoundError(`id ${studyId}`);
      if (!reusesIds) return;
      // A row of no study keeps the highest trial id taken, for every program that adds trials.
      const left = Number((yield execute(s.maxTrialId)).rows[0]?.['id'] ?? 0);
      if (left < highest) yield execute(s.tombstone, highest);
      const deleted = Number((yield execute(s.counter, 'study_id')).rows[0]?.['value'] ?? 0);
      yield execute(s.setCounter, 'study_id', Math.max(deleted, studyId));
    });
    this.#ownChanges++;
  }

  async setStudyAttributes(studyId: number, kind: 'user' | 'system', attributes: AttributeTexts): Promise<void> {
    const s = this.#statements;
    const statement = kind === 'user' ? s.setStudyUserAttr : s.setStudySystemAttr;
    await this.#engine.write(function* () {
      yield* requireStudy(s, studyId);
      for (const [key, text] of Object.entries(attributes)) yield execute(statement, studyId, key, text);
    });
  }

  // ---- trials --------------------------------------------------------------------------------------------------------

  async createTrials(
    studyId: number,
    templates: readonly TrialTemplate[],
    options: ClaimOptions & { limit?: number | undefined } = {},
  ): Promise<FrozenTrial[]> {
    const { owner, limit } = options;
    const created = await this.#engine.write(() => this.#createTrials(studyId, templates, owner, limit));
    this.#note(options.cursor, [], created);
    return created;
  }

  *#createTrials(
    studyId: number,
    templates: readonly TrialTemplate[],
    owner: string | undefined,
    limit: number | undefined,
  ): Transaction<FrozenTrial[]> {
    const s = this.#statements;
    if (s.lockStudy !== undefined) yield execute(s.lockStudy, studyId);
    const [last] = (yield execute(s.lastNumber, studyId)).rows;
    if (last === undefined) yield* requireStudy(s, studyId);
    let number = last === undefined ? 0 : Number(last['number']) + 1;
    // Only near the limit does it matter how many of the trials were superseded.
    if (limit !== undefined && number >= limit) {
      const superseded = Number((yield execute(s.countSuperseded, studyId)).rows[0]?.['superseded'] ?? 0);
      if (number - superseded >= limit) return [];
    }
    const created: FrozenTrial[] = [];
    for (const template of templates) created.push(yield* this.#insertTrial(studyId, number++, template, owner));
    return created;
  }

  *#insertTrial(
    studyId: number,
    number: number,
    template: TrialTemplate,
    owner: string | undefined,
  ): Transaction<FrozenTrial> {
    const s = this.#statements;
    const { state, startedAt = null, completedAt = null } = template;
    const trialId = (yield execute(s.insertTrial, number, studyId, state, startedAt, completedAt)).lastId;
    for (const [name, internal] of Object.entries(template.internalParams ?? {})) {
      yield execute(s.insertParam, trialId, name, internal, template.distributions?.[name]?.json ?? null);
    }
    for (const [objective, value] of (template.values ?? []).entries()) {
      const columns = toColumns(value);
      yield execute(s.setValue, trialId, objective, columns.value, columns.type);
    }
    for (const [step, value] of Object.entries(template.intermediateValues ?? {})) {
      const columns = toColumns(value);
      yield execute(s.setReport, trialId, Number(step), columns.value, columns.type);
    }
    for (const [key, text] of Object.entries(template.userAttrTexts ?? {}))
      yield execute(s.setTrialUserAttr, trialId, key, text);
    for (const [key, text] of Object.entries(template.systemAttrTexts ?? {})) {
      yield execute(s.setTrialSystemAttr, trialId, key, text);
    }
    if (state === 'RUNNING' && owner !== undefined) yield execute(s.setOwner, trialId, owner);
    return new FrozenTrial(trialId, number, template);
  }

  async claimWaitingTrial(studyId: number, at: string, options: ClaimOptions = {}): Promise<FrozenTrial | undefined> {
    const s = this.#statements;
    const { owner } = options;
    // Everything before is known to be finished and need not be looked through.
    const after = firstUnfinished(options.cursor as RdbCursor | undefined) - 1;
    const claimed = await this.#engine.write(function* () {
      for (;;) {
        const [waiting] = (yield execute(s.firstWaiting, studyId, after)).rows;
        if (waiting === undefined) return undefined;
        const trialId = Number(waiting['trial_id']);
        if ((yield execute(s.claim, trialId, at)).changes === 0) continue;
        if (owner !== undefined) yield execute(s.setOwner, trialId, owner);
        return (yield* readTrial(s, trialId))[0];
      }
    });
    if (claimed !== undefined) this.#note(options.cursor, [], [claimed]);
    return claimed;
  }

  async write(writes: readonly TrialWrite[], cursor?: SyncCursor): Promise<FrozenTrial[]> {
    if (writes.length === 0) return [];
    const created = await this.#engine.write(() => this.#write(writes));
    this.#note(cursor, writes, created);
    return created;
  }

  *#write(writes: readonly TrialWrite[]): Transaction<FrozenTrial[]> {
    const s = this.#statements;
    const created: FrozenTrial[] = [];
    const checked = new Set<number>();
    const ended = new Set<number>();
    // Where a batch ends its trial, that statement itself finds out whether it was finished before.
    for (const write of writes) if (write.kind === 'state') checked.add(write.trialId);
    for (const write of writes) {
      if (write.kind === 'create') {
        created.push(...(yield* this.#createTrials(write.studyId, [write.template], undefined, undefined)));
        continue;
      }
      const { trialId } = write;
      if (ended.has(trialId)) throw new UpdateFinishedTrialError(trialId);
      if (!checked.has(trialId)) {
        yield* requireUnfinished(s, trialId);
        checked.add(trialId);
      }
      switch (write.kind) {
        case 'param':
          yield execute(s.insertParam, trialId, write.name, write.internal, write.distribution.json);
          break;
        case 'report': {
          const { value, type } = toColumns(write.value);
          yield execute(s.setReport, trialId, write.step, value, type);
          break;
        }
        case 'userAttr':
          yield execute(s.setTrialUserAttr, trialId, write.key, write.text);
          break;
        case 'systemAttr':
          yield execute(s.setTrialSystemAttr, trialId, write.key, write.text);
          break;
        case 'state':
          yield* this.#setState(write);
          if (isFinished(write.state)) ended.add(trialId);
      }
    }
    return created;
  }

  *#setState(write: Extract<TrialWrite, { kind: 'state' }>): Transaction<void> {
    const s = this.#statements;
    const { trialId, state } = write;
    const at = isFinished(state) ? write.at : null;
    if ((yield execute(s.setState, trialId, state, at)).changes === 0) yield* requireUnfinished(s, trialId);
    let columns = (write.values ?? []).map((value) => toColumns(value));
    if (state === 'PRUNED' && write.values === undefined) {
      const [last] = (yield execute(s.lastReport, trialId)).rows;
      if (last !== undefined && last['intermediate_value_type'] !== 'NAN') {
        columns = [
          { value: last['intermediate_value'] as number | null, type: last['intermediate_value_type'] as 'FINITE' },
        ];
      }
    }
    for (const [objective, { value, type }] of columns.entries())
      yield execute(s.setValue, trialId, objective, value, type);
  }

  // ---- changes -------------------------------------------------------------------------------------------------------

  async sync(studyId: number, cursor?: SyncCursor): Promise<{ trials: FrozenTrial[]; cursor: SyncCursor }> {
    const s = this.#statements;
    const foreign = this.#engine.foreignChanges();
    const own = this.#ownChanges;
    if (cursor === undefined) {
      const trials = await this.#engine.read(() => readTrialsAfter(s, studyId, 0));
      const fresh: RdbCursor = { studyId, lastId: 0, unfinished: new Set(), ended: new Set(), foreign, own };
      follow(fresh, trials);
      return { trials, cursor: fresh };
    }
    const place = cursor as RdbCursor;
    if (foreign !== undefined && place.foreign === foreign && place.own === own) {
      place.ended.clear();
      return { trials: [], cursor };
    }
    const { single, after } = whatToRead(place);
    const trials = await this.#engine.read(function* () {
      const found: FrozenTrial[] = [];
      for (const id of single) found.push(...(yield* readTrial(s, id)));
      found.push(...(yield* readTrialsAfter(s, studyId, after)));
      return found;
    });
    place.ended.clear();
    follow(place, trials);
    place.foreign = foreign;
    place.own = own;
    return { trials, cursor };
  }

  /** Counts an own change; a caller who was up to date stays so, since it knows what it wrote. */
  #note(cursor: SyncCursor | undefined, writes: readonly TrialWrite[], created: readonly FrozenTrial[]): void {
    const place = cursor as RdbCursor | undefined;
    const upToDate = place?.own === this.#ownChanges;
    this.#ownChanges++;
    if (place === undefined || !upToDate) return;
    if (passOwn(place, writes, created)) place.own = this.#ownChanges;
  }

  // ---- processes -----------------------------------------------------------------------------------------------------

  async registerProcess(process: ProcessIdentity, at: string): Promise<void> {
    const { processId, host, bootId, pid, startTime } = process;
    const s = this.#statements;
    await this.#engine.write(function* () {
      yield execute(s.registerProcess, processId, host, bootId, pid, startTime, at);
    });
  }

  async heartbeat(processId: string, runningTrialIds: readonly number[], at: string): Promise<void> {
    const s = this.#statements;
    await this.#engine.write(function* () {
      yield execute(s.beat, processId, at);
      for (const trialId of runningTrialIds) yield execute(s.beatTrial, trialId, at);
    });
  }

  async unregisterProcess(processId: string): Promise<void> {
    const s = this.#statements;
    await this.#engine.write(function* () {
      yield execute(s.removeOwnedBy, processId);
      yield execute(s.removeProcess, processId);
    });
  }

  async runningTrials(studyId: number): Promise<TrialOwner[]> {
    const s = this.#statements;
    const { rows } = await this.#engine.read(function* (): Transaction<StepResult> {
      return yield execute(s.runningWithOwners, studyId);
    });
    return rows.map((row) => ({
      trialId: Number(row['trial_id']),
      process: typeof row['process_id'] === 'string' ? toProcess(row) : undefined,
      trialHeartbeatAt: typeof row['heartbeat'] === 'string' ? row['heartbeat'] : undefined,
    }));
  }

  async processes(): Promise<ProcessRecord[]> {
    const s = this.#statements;
    const { rows } = await this.#engine.read(function* (): Transaction<StepResult> {
      return yield execute(s.processes);
    });
    return rows.map(toProcess);
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

  async close(): Promise<void> {
    await this.#engine.close();
  }
}

/** @throws UpdateFinishedTrialError, or RangeError where there is no such trial */
function* requireUnfinished(s: Statements, trialId: number): Transaction<void> {
  const [row] = (yield execute(s.stateOf, trialId)).rows;
  if (row === undefined) throw new RangeError(`There is no trial with id ${trialId}.`);
  if (row['state'] !== 'RUNNING' && row['state'] !== 'WAITING') throw new UpdateFinishedTrialError(trialId);
}

function toProcess(row: Readonly<Record<string, SqlValue>>): ProcessRecord {
  const text = (key: string): string => String(row[key] ?? '');
  return {
    processId: text('process_id'),
    host: text('host'),
    bootId: text('boot_id'),
    pid: Number(row['pid']),
    startTime: text('start_time'),
    registeredAt: text('registered_at'),
    heartbeatAt: text('heartbeat_at'),
  };
}
