import { randomInt } from 'node:crypto';

import { DuplicatedStudyError, StudyNotFoundError, UsageError } from '../core/errors.js';
import type { FrozenTrial } from '../core/frozen-trial.js';
import type { DeclaredSpace } from '../core/declared-space.js';
import { parseJson, stringifyJson, type JsonValue } from '../core/json.js';
import { nearestName } from '../core/nearest-name.js';
import type { StudyDirection } from '../core/study-direction.js';
import { MedianPruner } from '../pruners/median-pruner.js';
import type { Pruner } from '../pruners/pruner.js';
import type { Sampler } from '../samplers/sampler.js';
import { TPESampler } from '../samplers/tpe-sampler.js';
import { openStorage } from '../storage/open-storage.js';
import type { Storage, StudyRecord } from '../storage/storage.js';
import { bestTrialOf } from './best-trials.js';
import { VERSION } from '../core/version.js';
import type { HeartbeatOptions } from './presence.js';
import type { RetryPolicy } from './retry.js';
import { STUDY_ATTRIBUTE } from './study-attributes.js';
import { Study } from './study.js';

interface CommonOptions {
  /** A storage, its URL (`sqlite:///study.db`, …) or path; without one the study lives in memory. */
  readonly storage?: Storage | string | undefined;
  /** @default new TPESampler() */
  readonly sampler?: Sampler | undefined;
  /** @default new MedianPruner() */
  readonly pruner?: Pruner | undefined;
  readonly retry?: RetryPolicy | undefined;
  readonly heartbeat?: HeartbeatOptions | undefined;
  readonly declaredSpace?: DeclaredSpace | undefined;
}

export interface CreateStudyOptions extends CommonOptions {
  /** @default a fresh name */
  readonly studyName?: string | undefined;
  /** @default 'minimize' */
  readonly direction?: StudyDirection | undefined;
  /** For several objectives, in place of `direction`. */
  readonly directions?: readonly StudyDirection[] | undefined;
  /** Go on with a study of this name where there is one. */
  readonly loadIfExists?: boolean | undefined;
  /** Seed of everything random in the study, kept with it. @default a random one */
  readonly seed?: number | undefined;
}

export interface LoadStudyOptions extends CommonOptions {
  /** May be left out where the storage holds one study only. */
  readonly studyName?: string | undefined;
}

/**
 * Makes a study, or goes on with one.
 * @throws DuplicatedStudyError where the name is taken and `loadIfExists` is not set
 * @throws UsageError for impossible directions @throws StorageError
 */
export async function createStudy(options: CreateStudyOptions = {}): Promise<Study> {
  const directions = checkDirections(options);
  const storage = await asStorage(options.storage);
  const studyName = options.studyName ?? `no-name-${crypto.randomUUID()}`;
  const seed = options.seed ?? randomInt(2 ** 31);
  const attrs = storage.persistent
    ? {
        user: { [STUDY_ATTRIBUTE.version]: stringifyJson(VERSION) },
        system: {
          [STUDY_ATTRIBUTE.seed]: stringifyJson(seed),
          [STUDY_ATTRIBUTE.lineage]: stringifyJson(crypto.randomUUID()),
        },
      }
    : {};
  try {
    const record = await storage.createStudy(studyName, directions, attrs);
    return new Study({ ...parts(options), storage, record, seed });
  } catch (error) {
    if (!(error instanceof DuplicatedStudyError) || options.loadIfExists !== true) throw error;
  }
  const record = await storage.findStudy(studyName);
  if (record === undefined) throw new StudyNotFoundError(studyName);
  if (record.directions.join() !== directions.join() && (options.direction ?? options.directions) !== undefined) {
    throw new UsageError(
      `Study "${studyName}" has the directions ${record.directions.join(', ')}, but ${directions.join(', ')} were asked for.`,
    );
  }
  return open(storage, record, options);
}

/** Opens a study that exists. @throws StudyNotFoundError @throws UsageError where no name is given and the storage holds several. */
export async function loadStudy(options: LoadStudyOptions): Promise<Study> {
  const storage = await asStorage(options.storage);
  if (options.studyName !== undefined) {
    const record = await storage.findStudy(options.studyName);
    if (record === undefined) throw await notFound(storage, options.studyName);
    return open(storage, record, options);
  }
  const records = await storage.listStudies();
  const [record] = records;
  if (record === undefined) throw new UsageError(`${storage.location} holds no study.`, { code: 'STUDY_NOT_FOUND' });
  if (records.length > 1) {
    throw new UsageError(`${storage.location} holds ${records.length} studies: name one.`, {
      hint: `They are: ${records.map(({ studyName }) => `"${studyName}"`).join(', ')}.`,
    });
  }
  return open(storage, record, options);
}

/** Removes a study and its trials. @throws StudyNotFoundError */
export async function deleteStudy(options: { studyName: string; storage: Storage | string }): Promise<void> {
  await withStorage(options.storage, async (storage) => {
    const record = await storage.findStudy(options.studyName);
    if (record === undefined) throw await notFound(storage, options.studyName);
    await storage.deleteStudy(record.studyId);
  });
}

/**
 * Copies a study whole, as it is at one moment: numbers, states, texts, times, and ids where they are free there.
 * @throws DuplicatedStudyError @throws StudyNotFoundError
 */
export async function copyStudy(options: {
  fromStudyName: string;
  fromStorage: Storage | string;
  toStorage: Storage | string;
  toStudyName?: string;
}): Promise<void> {
  await withStorage(options.fromStorage, async (from) => {
    const record = await from.findStudy(options.fromStudyName);
    if (record === undefined) throw await notFound(from, options.fromStudyName);
    const { study, trials } = await from.export(record.studyId);
    await withStorage(options.toStorage, async (to) => {
      await to.addStudy({ ...study, studyName: options.toStudyName ?? study.studyName }, trials);
    });
  });
}

/** What a study holds, in brief. */
export interface StudySummary {
  readonly studyName: string;
  readonly directions: readonly StudyDirection[];
  readonly userAttrs: Readonly<Record<string, JsonValue>>;
  readonly nTrials: number;
  readonly bestTrial: FrozenTrial | undefined;
  readonly datetimeStart: Date | undefined;
}

/** Every study of a storage, by age. */
export async function getAllStudySummaries(options: { storage: Storage | string }): Promise<StudySummary[]> {
  return await withStorage(options.storage, async (storage) => {
    const summaries: StudySummary[] = [];
    for (const record of await storage.listStudies()) {
      const { trials } = await storage.sync(record.studyId);
      const [direction] = record.directions;
      summaries.push({
        studyName: record.studyName,
        directions: record.directions,
        userAttrs: Object.fromEntries(
          Object.entries(record.userAttrTexts).map(([key, text]) => [key, parseJson(text)]),
        ),
        nTrials: trials.length,
        bestTrial:
          record.directions.length === 1 && direction !== undefined ? bestTrialOf(trials, direction) : undefined,
        datetimeStart: trials.find((trial) => trial.datetimeStart !== undefined)?.datetimeStart,
      });
    }
    return summaries;
  });
}

/** Names of all studies of a storage. */
export async function getAllStudyNames(options: { storage: Storage | string }): Promise<string[]> {
  return await withStorage(options.storage, async (storage) =>
    (await storage.listStudies()).map((record) => record.studyName),
  );
}

function open(storage: Storage, record: StudyRecord, options: CommonOptions & { seed?: number | undefined }): Study {
  const text = record.systemAttrTexts[STUDY_ATTRIBUTE.seed];
  const stored = text === undefined ? undefined : parseJson(text);
  const seed = typeof stored === 'number' ? stored : (options.seed ?? randomInt(2 ** 31));
  return new Study({ ...parts(options), storage, record, seed });
}

function parts(
  options: CommonOptions,
): Pick<ConstructorParameters<typeof Study>[0], 'sampler' | 'pruner' | 'retry' | 'heartbeat' | 'declaredSpace'> {
  return {
    sampler: options.sampler ?? new TPESampler(),
    pruner: options.pruner ?? new MedianPruner(),
    retry: options.retry,
    heartbeat: options.heartbeat,
    declaredSpace: options.declaredSpace,
  };
}

function checkDirections(options: CreateStudyOptions): readonly StudyDirection[] {
  if (options.direction !== undefined && options.directions !== undefined) {
    throw new UsageError('createStudy: give direction or directions, not both.');
  }
  const directions = options.directions ?? [options.direction ?? 'minimize'];
  if (directions.length === 0) throw new UsageError('createStudy: directions must not be empty.');
  for (const direction of directions as readonly string[]) {
    if (direction !== 'minimize' && direction !== 'maximize') {
      const nearest = nearestName(direction, ['minimize', 'maximize']);
      throw new UsageError(`createStudy: a direction is "minimize" or "maximize", not ${JSON.stringify(direction)}.`, {
        ...(nearest === undefined ? {} : { hint: `Did you mean "${nearest}"?` }),
      });
    }
  }
  return directions;
}

async function asStorage(storage: Storage | string | undefined): Promise<Storage> {
  return typeof storage === 'object' ? storage : await openStorage(storage);
}

/** Opens a storage where its URL is given, and then closes it again whatever happens. */
async function withStorage<T>(given: Storage | string, use: (storage: Storage) => Promise<T>): Promise<T> {
  const storage = await asStorage(given);
  try {
    return await use(storage);
  } finally {
    if (typeof given === 'string') await storage.close();
  }
}

async function notFound(storage: Storage, studyName: string): Promise<StudyNotFoundError> {
  return new StudyNotFoundError(
    studyName,
    (await storage.listStudies()).map((record) => record.studyName),
  );
}
