import type { CategoricalDistribution } from '../core/distributions.js';
import { DuplicatedStudyError, StudyNotFoundError, UpdateFinishedTrialError } from '../core/errors.js';
import { FrozenTrial, type AttributeTexts, type TrialTemplate } from '../core/frozen-trial.js';
import type { StudyDirection } from '../core/study-direction.js';
import { applyTrialWrite } from './apply-trial-write.js';
import { requireAppended } from './require-appended.js';
import type {
  ClaimOptions,
  CreateOptions,
  LeaseRecord,
  ProcessRecord,
  Storage,
  StudyRecord,
  SyncCursor,
  TrialOwner,
  TrialWrite,
} from './storage.js';
import { withTrialIds } from './trial-references.js';

interface MemoryStudy {
  record: StudyRecord;
  readonly trials: FrozenTrial[];
  /** Counts changes; `changed[n]` is the count at which trial n changed last. */
  version: number;
  readonly changed: number[];
}

interface MemoryCursor extends SyncCursor {
  version: number;
}

/** Keeps studies for as long as the process lives. */
export class InMemoryStorage implements Storage {
  readonly location = 'memory';
  readonly persistent = false;
  readonly #studies = new Map<number, MemoryStudy>();
  readonly #places = new Map<number, { studyId: number; number: number }>();
  readonly #leases = new Map<string, LeaseRecord>();
  #lastStudyId = 0;
  #lastTrialId = 0;

  createStudy(
    name: string,
    directions: readonly StudyDirection[],
    attrs: { user?: AttributeTexts; system?: AttributeTexts } = {},
  ): Promise<StudyRecord> {
    return settle(() => {
      if (this.#find(name) !== undefined) throw new DuplicatedStudyError(name);
      const record: StudyRecord = {
        studyId: ++this.#lastStudyId,
        studyName: name,
        directions: [...directions],
        userAttrTexts: { ...attrs.user },
        systemAttrTexts: { ...attrs.system },
      };
      this.#studies.set(record.studyId, { record, trials: [], version: 0, changed: [] });
      return record;
    });
  }

  addStudy(study: StudyRecord, trials: readonly FrozenTrial[]): Promise<StudyRecord> {
    return settle(() => {
      if (this.#find(study.studyName) !== undefined) throw new DuplicatedStudyError(study.studyName);
      const ids = new Set(trials.map(({ trialId }) => trialId));
      const lowest = [...ids].reduce((a, b) => Math.min(a, b), Infinity);
      const shift = lowest > this.#lastTrialId ? 0 : this.#lastTrialId + 1 - lowest;
      const record: StudyRecord = {
        ...study,
        studyId: Math.max(study.studyId, this.#lastStudyId + 1),
        systemAttrTexts: withTrialIds(study.systemAttrTexts, (id) => (ids.has(id) ? id + shift : undefined)),
      };
      this.#lastStudyId = record.studyId;
      const added: MemoryStudy = { record, trials: [], version: 0, changed: [] };
      this.#studies.set(record.studyId, added);
      for (const trial of trials) {
        const trialId = trial.trialId + shift;
        this.#lastTrialId = Math.max(this.#lastTrialId, trialId);
        this.#places.set(trialId, { studyId: record.studyId, number: trial.number });
        this.#put(added, new FrozenTrial(trialId, trial.number, trial.toTemplate()));
      }
      return record;
    });
  }

  findStudy(name: string): Promise<StudyRecord | undefined> {
    return settle(() => this.#find(name)?.record);
  }

  listStudies(): Promise<StudyRecord[]> {
    return settle(() => [...this.#studies.values()].map((study) => study.record));
  }

  deleteStudy(studyId: number): Promise<void> {
    return settle(() => {
      for (const trial of this.#study(studyId).trials) this.#places.delete(trial.trialId);
      this.#studies.delete(studyId);
    });
  }

  readStudy(studyId: number): Promise<StudyRecord> {
    return settle(() => this.#study(studyId).record);
  }

  setStudyAttributes(studyId: number, kind: 'user' | 'system', texts: AttributeTexts): Promise<void> {
    return settle(() => {
      const study = this.#study(studyId);
      const key = kind === 'user' ? 'userAttrTexts' : 'systemAttrTexts';
      study.record = { ...study.record, [key]: { ...study.record[key], ...texts } };
    });
  }

  createTrials(
    studyId: number,
    templates: readonly TrialTemplate[],
    options: CreateOptions = {},
  ): Promise<FrozenTrial[]> {
    return settle(() => {
      const study = this.#study(studyId);
      if (options.limit !== undefined && study.trials.filter((trial) => !trial.isSuperseded).length >= options.limit) {
        return [];
      }
      const { cursor } = options;
      if (options.ifQuiet === true && cursor !== undefined && (cursor as MemoryCursor).version !== study.version)
        return [];
      return this.#noted([study], options.cursor, () => templates.map((template) => this.#create(study, template)));
    });
  }

  claimWaitingTrial(studyId: number, at: string, options: ClaimOptions = {}): Promise<FrozenTrial | undefined> {
    return settle(() => {
      const study = this.#study(studyId);
      const waiting = study.trials.find((trial) => trial.state === 'WAITING');
      if (waiting === undefined) return undefined;
      return this.#noted([study], options.cursor, () =>
        this.#put(study, waiting.with({ state: 'RUNNING', startedAt: at })),
      );
    });
  }

  write(writes: readonly TrialWrite[], cursor?: SyncCursor): Promise<FrozenTrial[]> {
    return settle(() => {
      const changed = new Map<number, FrozenTrial>();
      for (const write of writes) {
        if (write.kind === 'create') continue;
        const trial = changed.get(write.trialId) ?? this.#trial(write.trialId);
        if (trial.isFinished) throw new UpdateFinishedTrialError(write.trialId);
        changed.set(write.trialId, applyTrialWrite(trial, write));
      }
      const touched = new Set(
        writes.map((write) =>
          this.#study(write.kind === 'create' ? write.studyId : (this.#places.get(write.trialId)?.studyId ?? 0)),
        ),
      );
      return this.#noted([...touched], cursor, () => {
        for (const [trialId, trial] of changed) this.#put(this.#study(this.#places.get(trialId)?.studyId ?? 0), trial);
        return writes
          .filter((write) => write.kind === 'create')
          .map((write) => this.#create(this.#study(write.studyId), write.template));
      });
    });
  }

  sync(studyId: number, cursor?: SyncCursor): Promise<{ trials: FrozenTrial[]; cursor: SyncCursor }> {
    return settle(() => {
      const study = this.#study(studyId);
      const own = cursor as MemoryCursor | undefined;
      if (own === undefined) return { trials: [...study.trials], cursor: { studyId, version: study.version } };
      const seen = own.version;
      own.version = study.version;
      if (seen === study.version) return { trials: [], cursor: own };
      return { trials: study.trials.filter((_, number) => (study.changed[number] ?? 0) > seen), cursor: own };
    });
  }

  async export(
    studyId: number,
    cursor?: SyncCursor,
  ): Promise<{ study: StudyRecord; trials: FrozenTrial[]; cursor: SyncCursor }> {
    return { study: this.#study(studyId).record, ...(await this.sync(studyId, cursor)) };
  }

  lease(name: string, holder: string, takeOver?: LeaseRecord): Promise<LeaseRecord> {
    return settle(() => {
      const found = this.#leases.get(name);
      const isOver = found !== undefined && takeOver?.holder === found.holder && takeOver.beat === found.beat;
      if (found !== undefined && found.holder !== holder && !isOver) return found;
      const taken = { holder, beat: (found?.beat ?? 0) + 1 };
      this.#leases.set(name, taken);
      return taken;
    });
  }

  releaseLease(name: string, holder: string): Promise<void> {
    return settle(() => {
      if (this.#leases.get(name)?.holder === holder) this.#leases.delete(name);
    });
  }

  registerProcess(): Promise<void> {
    return Promise.resolve();
  }

  heartbeat(): Promise<void> {
    return Promise.resolve();
  }

  unregisterProcess(): Promise<void> {
    return Promise.resolve();
  }

  runningTrials(studyId: number): Promise<TrialOwner[]> {
    return settle(() =>
      this.#study(studyId)
        .trials.filter((trial) => trial.state === 'RUNNING')
        .map((trial) => ({ trialId: trial.trialId, process: undefined, trialHeartbeatAt: undefined })),
    );
  }

  processes(): Promise<ProcessRecord[]> {
    return Promise.resolve([]);
  }

  appendChoices(studyId: number, name: string, distribution: CategoricalDistribution): Promise<number> {
    return settle(() => {
      const { trials } = this.#study(studyId);
      const before = trials.flatMap((trial) => trial.distributions[name] ?? []);
      requireAppended(name, before, distribution, trials.filter((trial) => trial.state === 'RUNNING').length);
      for (const [number, trial] of trials.entries()) {
        if (trial.distributions[name] === undefined) continue;
        trials[number] = trial.with({ distributions: { ...trial.distributions, [name]: distribution } });
      }
      return before.length;
    });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Does the work; whoever was up to date with a study stays so, since it knows what it wrote itself. */
  #noted<T>(studies: readonly MemoryStudy[], cursor: SyncCursor | undefined, work: () => T): T {
    const own = cursor as MemoryCursor | undefined;
    const upToDate = studies.filter((study) => own?.studyId === study.record.studyId && own.version === study.version);
    const result = work();
    for (const study of upToDate) if (own !== undefined) own.version = study.version;
    return result;
  }

  #find(name: string): MemoryStudy | undefined {
    for (const study of this.#studies.values()) if (study.record.studyName === name) return study;
    return undefined;
  }

  #study(studyId: number): MemoryStudy {
    const study = this.#studies.get(studyId);
    if (study === undefined) throw new StudyNotFoundError(`id ${studyId}`);
    return study;
  }

  #trial(trialId: number): FrozenTrial {
    const place = this.#places.get(trialId);
    const trial = place === undefined ? undefined : this.#studies.get(place.studyId)?.trials[place.number];
    if (trial === undefined) throw new RangeError(`There is no trial with id ${trialId}.`);
    return trial;
  }

  #create(study: MemoryStudy, template: TrialTemplate): FrozenTrial {
    const trial = new FrozenTrial(++this.#lastTrialId, study.trials.length, template);
    this.#places.set(trial.trialId, { studyId: study.record.studyId, number: trial.number });
    return this.#put(study, trial);
  }

  #put(study: MemoryStudy, trial: FrozenTrial): FrozenTrial {
    study.trials[trial.number] = trial;
    study.changed[trial.number] = ++study.version;
    return trial;
  }
}

/** What throws becomes a rejected promise, as with every other storage. */
function settle<T>(work: () => T): Promise<T> {
  return new Promise((resolve) => {
    resolve(work());
  });
}
