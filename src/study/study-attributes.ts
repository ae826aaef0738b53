import { parseJson, stringifyJson, type JsonValue } from '../core/json.js';
import type { AttributeTexts } from '../core/frozen-trial.js';
import type { Storage, StudyRecord } from '../storage/storage.js';

/** Attributes of a study that the engine itself reads and writes. */
export const STUDY_ATTRIBUTE = {
  metricNames: 'study:metric_names',
  /** User attribute: the version of resweep that made the study. */
  version: 'resweep:version',
  seed: 'resweep:seed',
  lineage: 'resweep:lineage',
  /** Prefix, followed by the trial's number. */
  lateResult: 'resweep:late_result:',
} as const;

type Attributes = Readonly<Record<string, JsonValue>>;

/** The attributes of one study as this process knows them; what is set is stored in order. */
export class StudyAttributes {
  readonly #storage: Storage;
  #record: StudyRecord;
  #user: Attributes | undefined;
  #system: Attributes | undefined;
  /** Writes on their way to the storage. */
  #pending: Promise<void> | undefined;

  constructor(storage: Storage, record: StudyRecord) {
    this.#storage = storage;
    this.#record = record;
  }

  get user(): Attributes {
    this.#user ??= parse(this.#record.userAttrTexts);
    return this.#user;
  }

  get system(): Attributes {
    this.#system ??= parse(this.#record.systemAttrTexts);
    return this.#system;
  }

  hasSystem(key: string): boolean {
    return key in this.#record.systemAttrTexts;
  }

  async setUser(key: string, value: JsonValue): Promise<void> {
    const text = stringifyJson(value);
    await this.#storage.setStudyAttributes(this.#record.studyId, 'user', { [key]: text });
    this.#record = { ...this.#record, userAttrTexts: { ...this.#record.userAttrTexts, [key]: text } };
    this.#user = undefined;
  }

  /** Sets at once what this process sees, and stores it; `settled` waits for that. */
  setSystem(key: string, value: JsonValue): void {
    const text = stringifyJson(value);
    this.#record = { ...this.#record, systemAttrTexts: { ...this.#record.systemAttrTexts, [key]: text } };
    this.#system = undefined;
    const write = this.#storage.setStudyAttributes(this.#record.studyId, 'system', { [key]: text });
    const pending = Promise.all([this.#pending, write]).then(() => {
      if (this.#pending === pending) this.#pending = undefined;
    });
    pending.catch(() => undefined); // Whoever waits for it sees the error.
    this.#pending = pending;
  }

  /** Writes that are under way; undefined where there are none, so that nobody pauses without need. */
  get pending(): Promise<void> | undefined {
    return this.#pending;
  }

  /** Reads all of them anew. */
  async refresh(): Promise<void> {
    await this.#pending;
    this.#record = await this.#storage.readStudy(this.#record.studyId);
    this.#user = undefined;
    this.#system = undefined;
  }
}

function parse(texts: AttributeTexts): Attributes {
  return Object.freeze(Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, parseJson(text)])));
}
