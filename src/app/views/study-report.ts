import { join } from 'node:path';

import type { VerificationFinding } from '../../backup/index.js';
import type { FrozenTrial } from '../../core/frozen-trial.js';
import { UsageError } from '../../core/errors.js';
import { TRIAL_ATTRIBUTE } from '../../core/frozen-trial.js';
import type { JsonValue } from '../../core/json.js';
import { nearestName } from '../../core/nearest-name.js';
import { isServerUrl } from '../../core/storage-url.js';
import { EVENTS_FILE, STUDY_DB } from '../../core/study-paths.js';
import type { TrialState } from '../../core/trial-state.js';
import { retryHistoryOf } from '../../study/retry.js';
import type { Study } from '../../study/study.js';
import { isLostOwnership, readEvents } from '../sweep/events-log.js';
import { bestOf, countTrials, type BestTrial, type TrialCounts } from '../sweep/sweep-summary.js';

/** A trial as shown by `trials`, `status` and the dashboard. */
export interface TrialRow {
  readonly number: number;
  readonly state: TrialState | 'INTERRUPTED';
  readonly values: readonly number[] | null;
  readonly params: Readonly<Record<string, JsonValue>>;
  readonly userAttrs: Readonly<Record<string, JsonValue>>;
  readonly datetimeStart: string | null;
  readonly datetimeComplete: string | null;
  readonly durationSeconds: number | null;
  readonly lastStep: number | null;
  /** Numbers of the trials that this one retries. */
  readonly retryOf: readonly number[];
  /** Why it failed or was interrupted. */
  readonly reason: string | null;
}

/** The newest copy of the study at one destination. */
export interface BackupHealth {
  readonly name: string;
  readonly lastVerifiedAt: string | null;
  /** `verified`, or `handedToMount`: in the mount, upload unconfirmed. */
  readonly verified: string | null;
  readonly finishedTrials: number | null;
  readonly sha256: string | null;
  readonly bytes: number | null;
  /** Why the last try failed; null after a success. */
  readonly error: string | null;
  /** Finished trials of the study that the copy lacks. */
  readonly backlog: number | null;
  /** The last verification, scheduled or by hand with the study's own log: when, and what it found wrong. */
  readonly verifiedAt: string | null;
  readonly damage: string | null;
  /** Of what kind that is; null where all was good. */
  readonly finding: VerificationFinding | null;
}

export interface StudyStatus {
  readonly study: string;
  readonly study8: string | null;
  readonly studyDb: string | null;
  readonly storage: string;
  readonly directions: readonly string[];
  readonly metricNames: readonly string[] | null;
  readonly trials: TrialCounts;
  /** Total of the configuration in force, where one is known. */
  readonly target: number | null;
  readonly best: BestTrial | null;
  readonly paretoFront?: readonly BestTrial[];
  readonly running: readonly TrialRow[];
  readonly lastFailures: readonly TrialRow[];
  readonly backup: readonly BackupHealth[];
}

/** One trial as plain data. */
export function trialRow(trial: FrozenTrial): TrialRow {
  return {
    number: trial.number,
    state: trial.isInterrupted ? 'INTERRUPTED' : trial.state,
    values: trial.values === undefined ? null : [...trial.values],
    params: trial.params,
    userAttrs: trial.userAttrs,
    datetimeStart: trial.datetimeStart?.toISOString() ?? null,
    datetimeComplete: trial.datetimeComplete?.toISOString() ?? null,
    durationSeconds: trial.duration === undefined ? null : trial.duration / 1000,
    lastStep: trial.lastStep ?? null,
    retryOf: [...retryHistoryOf(trial)],
    reason: reasonOf(trial),
  };
}

/** Why a trial failed or was given up, where that was kept. */
export function reasonOf(trial: FrozenTrial): string | null {
  const attribute = trial.systemAttr(TRIAL_ATTRIBUTE.interrupted) ?? trial.systemAttr(TRIAL_ATTRIBUTE.failure);
  if (attribute === undefined || attribute === null || typeof attribute !== 'object') return null;
  const { reason, message } = attribute as { reason?: JsonValue; message?: JsonValue };
  const text = reason ?? message;
  return typeof text === 'string' ? text : null;
}

/** States by which trials are chosen. */
const SHOWN_STATES = ['complete', 'pruned', 'fail', 'interrupted', 'running', 'waiting'];

/** Rows of all trials, or of those in some states. @throws UsageError for a state that there is not */
export async function trialRows(study: Study, states?: readonly string[]): Promise<TrialRow[]> {
  for (const state of states ?? []) {
    if (SHOWN_STATES.includes(state.toLowerCase())) continue;
    const nearest = nearestName(state.toLowerCase(), SHOWN_STATES);
    throw new UsageError(`There is no state "${state}"; trials are ${SHOWN_STATES.join(', ')}.`, {
      ...(nearest === undefined ? {} : { hint: `Did you mean "${nearest}"?` }),
    });
  }
  const rows = (await study.trials()).map(trialRow);
  return states === undefined || states.length === 0
    ? rows
    : rows.filter((row) => states.some((state) => state.toUpperCase() === row.state));
}

/** How a study stands. */
export async function studyStatus(
  study: Study,
  place: { studyDir?: string | undefined; study8?: string | undefined; target?: number | undefined },
): Promise<StudyStatus> {
  await study.sync();
  const rows = study.history.all.map(trialRow);
  return {
    study: study.studyName,
    study8: place.study8 ?? null,
    studyDb:
      place.studyDir === undefined || isServerUrl(study.storage.location) ? null : join(place.studyDir, STUDY_DB),
    storage: study.storage.location,
    directions: study.directions,
    metricNames: study.metricNames ?? null,
    trials: countTrials(study),
    target: place.target ?? null,
    ...bestOf(study),
    running: rows.filter((row) => row.state === 'RUNNING'),
    lastFailures: rows.filter((row) => row.state === 'FAIL').slice(-5),
    backup:
      place.studyDir === undefined
        ? []
        : backupHealth(join(place.studyDir, EVENTS_FILE), rows.filter(isFinished).length),
  };
}

function isFinished({ state }: TrialRow): boolean {
  return state !== 'RUNNING' && state !== 'WAITING';
}

/** How each destination stands, as the events of the study tell. `finished`: trials that the study has. */
function backupHealth(eventsPath: string, finished: number): BackupHealth[] {
  const health = new Map<string, BackupHealth>();
  for (const event of readEvents(eventsPath)) {
    const { destination, path } = event;
    if (typeof destination !== 'string') continue;
    const before = health.get(destination) ?? nothingKnown(destination);
    const isStudy = typeof path === 'string' && path.endsWith(STUDY_DB);
    if (event.event === 'verification') {
      const damage = event['outcome'] === 'ok' ? null : textOf(event['message']);
      const finding = damage === null ? null : findingOf(event['finding']);
      // One that could not look takes back nothing that an earlier one found.
      if (finding === 'unchecked' && (before.finding ?? finding) !== finding) continue;
      health.set(destination, { ...before, verifiedAt: textOf(event['at']), damage, finding });
    } else if (event.event === 'backup' && isStudy) {
      const saved = numberOf(event['finishedTrials']);
      health.set(destination, {
        // Where nothing was, a whole copy is now.
        ...(before.finding === 'missing' ? nothingKnown(destination) : before),
        lastVerifiedAt: textOf(event['at']),
        verified: textOf(event['verified']),
        finishedTrials: saved,
        sha256: textOf(event['sha256']),
        bytes: numberOf(event['bytes']),
        error: null,
        backlog: Math.max(0, finished - (saved ?? 0)),
      });
    } else if (isStudy && (event.event === 'backup-failed' || isLostOwnership(event))) {
      health.set(destination, { ...before, error: textOf(event['message']), backlog: before.backlog ?? finished });
    }
  }
  return [...health.values()];
}

function nothingKnown(name: string): BackupHealth {
  return {
    name,
    lastVerifiedAt: null,
    verified: null,
    finishedTrials: null,
    sha256: null,
    bytes: null,
    error: null,
    backlog: null,
    verifiedAt: null,
    damage: null,
    finding: null,
  };
}

/** Events of earlier versions do not say. */
function findingOf(value: JsonValue | undefined): VerificationFinding {
  return value === 'missing' || value === 'unchecked' ? value : 'damaged';
}

function textOf(value: JsonValue | undefined): string | null {
  return typeof value === 'string' ? value : null;
}

function numberOf(value: JsonValue | undefined): number | null {
  return typeof value === 'number' ? value : null;
}
