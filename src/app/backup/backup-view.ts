import { statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

import { messageOf } from '../../core/errors.js';
import type { JsonValue } from '../../core/json.js';
import { EVENTS_FILE, STUDY_DB } from '../../core/study-paths.js';
import type { DestinationConfig, SweepConfig } from '../../core/sweep-config.js';
import { listBackups, parseManifestName, planRetention } from '../../backup/index.js';
import { findProjectRoot } from '../../config/project-root.js';
import { loadConfigText } from '../../config/load-config.js';
import type { Study } from '../../study/study.js';
import { configRegistry } from '../studies/config-registry.js';
import { createConfiguredDrive, destinationsOf } from './create-drive.js';
import { isLostOwnership, readEvents, type SweepEvent } from '../sweep/events-log.js';
import { storedConfigOf } from '../studies/stored-config.js';
import { countTrials } from '../sweep/sweep-summary.js';

/** How one destination stands. */
export interface DestinationHealth {
  readonly name: string;
  readonly type: string;
  readonly location: string;
  /** It would be lost together with the study. */
  readonly sameDisk: boolean;
  readonly every: string;
  readonly keep: DestinationConfig['keep'];
  readonly encrypted: boolean;
  readonly lastGoodAt: string | null;
  readonly confirmation: 'verified' | 'handedToMount' | 'no' | null;
  readonly finishedTrials: number | null;
  /** Finished trials that are not in the copy. */
  readonly missingTrials: number;
  readonly bytes: number | null;
  readonly sha256: string | null;
  readonly copies: number;
  readonly error: string | null;
  readonly verification: BackupNote | null;
  readonly drill: BackupNote | null;
  readonly pruned: BackupNote | null;
}

/** Something that was found about a destination, with its time. */
export interface BackupNote {
  readonly at: string;
  readonly ok: boolean;
  readonly text: string;
}

export interface BackupView {
  readonly enabled: boolean;
  readonly destinations: readonly DestinationHealth[];
  /** What would be lost if this machine died now. */
  readonly atRisk: {
    /** Finished trials in no copy that would survive. */
    readonly trials: number;
    /** Running trials, which begin again from their last checkpoint or from nothing. */
    readonly running: number;
    readonly everything: boolean;
  };
  /** What the backup module did last, newest first. */
  readonly events: readonly BackupNote[];
}

const BACKUP_EVENTS = new Set([
  'backup',
  'backup-failed',
  'backup-recovered',
  'backup-overdue',
  'fork',
  'mirror-kept',
  'verification',
  'repair',
  'prune',
  'restore',
  'restore-fallback',
  'restore-failed',
  'ownership',
  'drill',
]);
const MOST_EVENTS = 40;

/** The configuration that a study holds, read without its files. Undefined where it has none or it cannot be read here. */
export async function heldConfig(study: Study, studyDir: string | undefined): Promise<SweepConfig | undefined> {
  const stored = storedConfigOf(study);
  if (stored === undefined) return undefined;
  try {
    const projectRoot = findProjectRoot(studyDir ?? process.cwd());
    const options = { registry: await configRegistry(), name: 'study.yaml', projectRoot, checkFiles: false };
    return loadConfigText(stored.text, options).config;
  } catch {
    return undefined;
  }
}

/** Backup health of a study, from its configuration and its events. Asks no destination. */
export function backupView(study: Study, studyDir: string | undefined, config: SweepConfig | undefined): BackupView {
  const events = studyDir === undefined ? [] : readEvents(join(studyDir, EVENTS_FILE));
  const configured = config === undefined ? [] : destinationsOf(config);
  const named = new Set(configured.map(({ name }) => name));
  for (const { destination } of events) if (typeof destination === 'string') named.add(destination);
  const counts = countTrials(study);
  const ended = counts.complete + counts.pruned + counts.fail;
  const destinations = [...named].map((name) =>
    healthOf(
      name,
      configured.find((one) => one.name === name),
      events,
      ended,
      studyDir,
    ),
  );
  const survivors = destinations.filter(({ sameDisk, lastGoodAt }) => !sameDisk && lastGoodAt !== null);
  const lost = survivors.reduce((least, { missingTrials }) => Math.min(least, missingTrials), ended);
  return {
    enabled: config?.backup.enabled ?? destinations.length > 0,
    destinations,
    atRisk: { trials: lost, running: counts.running, everything: survivors.length === 0 },
    events: events
      .filter(({ event }) => BACKUP_EVENTS.has(event))
      .slice(-MOST_EVENTS)
      .reverse()
      .map(noteOf),
  };
}

function healthOf(
  name: string,
  config: DestinationConfig | undefined,
  events: readonly SweepEvent[],
  ended: number,
  studyDir: string | undefined,
): DestinationHealth {
  const own = events.filter((event) => event['destination'] === name);
  const ofStudy = own.filter(({ path }) => typeof path === 'string' && path.endsWith(STUDY_DB));
  const copies = ofStudy.filter(({ event }) => event === 'backup');
  const last = copies.at(-1);
  const failed = own.findLast((event) => event.event === 'backup-failed' || isLostOwnership(event));
  const recovered = own.findLast(({ event }) => event === 'backup' || event === 'backup-recovered');
  const isFailing = failed !== undefined && timeOf(failed) >= (recovered === undefined ? '' : timeOf(recovered));
  const finished = last === undefined ? null : numberOf(last['finishedTrials']);
  const confirmation = last === undefined ? null : textOf(last['verified']);
  const newest = (kind: string): BackupNote | null => {
    const found = own.findLast(({ event }) => event === kind);
    return found === undefined ? null : noteOf(found);
  };
  return {
    name,
    type: config?.type ?? 'unknown',
    location: config === undefined ? '' : locationOf(config),
    sameDisk: config !== undefined && isOnDiskOf(config, studyDir),
    every: config === undefined ? '' : everyText(config.every),
    keep: config?.keep ?? { newest: 0, days: 0, weeks: 0, months: 0, milestones: [] },
    encrypted: config?.encrypt !== undefined,
    lastGoodAt: last === undefined ? null : timeOf(last),
    confirmation: confirmation === 'verified' || confirmation === 'handedToMount' ? confirmation : last && 'no',
    finishedTrials: finished,
    missingTrials: Math.max(0, ended - (finished ?? 0)),
    bytes: last === undefined ? null : numberOf(last['bytes']),
    sha256: last === undefined ? null : textOf(last['sha256']),
    copies: copies.length,
    error: isFailing ? textOf(failed['message']) : null,
    verification: newest('verification'),
    drill: newest('drill'),
    pruned: newest('prune'),
  } as DestinationHealth;
}

/** A destination's place without secrets: what its kind calls path, bucket, folder or repository. */
function locationOf({ options, type }: DestinationConfig): string {
  for (const key of ['path', 'bucket', 'folder', 'repository', 'repo']) {
    const value = options[key];
    if (typeof value === 'string') return value;
  }
  return type;
}

function isOnDiskOf({ type, options }: DestinationConfig, studyDir: string | undefined): boolean {
  const path = options['path'];
  if (type !== 'folder' || typeof path !== 'string' || studyDir === undefined) return false;
  try {
    const place = resolve(findProjectRoot(studyDir), path);
    return statSync(existingOf(place)).dev === statSync(studyDir).dev;
  } catch {
    return false;
  }
}

function existingOf(path: string): string {
  try {
    statSync(path);
    return path;
  } catch {
    return dirname(path) === path ? path : existingOf(dirname(path));
  }
}

function everyText(every: DestinationConfig['every']): string {
  if ('trials' in every) return every.trials === 1 ? 'every trial' : `every ${every.trials} trials`;
  return `every ${Math.round(every.milliseconds / 60_000)} min`;
}

function noteOf(event: SweepEvent): BackupNote {
  const destination = textOf(event['destination']);
  const text = textOf(event['message']) ?? `${event.event}${destination === null ? '' : ` (${destination})`}`;
  return { at: timeOf(event), ok: event['outcome'] !== 'failed' && event['ok'] !== false, text };
}

function timeOf(event: SweepEvent): string {
  return textOf(event['at']) ?? '';
}

function textOf(value: JsonValue | undefined): string | null {
  return typeof value === 'string' ? value : null;
}

function numberOf(value: JsonValue | undefined): number | null {
  return typeof value === 'number' ? value : null;
}

/** One kept state at a destination, with the rules that keep it. */
export interface KeptState {
  readonly destination: string;
  readonly snapshot: string;
  readonly createdAt: string;
  readonly finishedTrials: number;
  readonly reasons: readonly string[];
}

export interface KeptStates {
  readonly states: readonly KeptState[];
  readonly errors: readonly { readonly destination: string; readonly error: string }[];
}

/** Every kept state of a study's database, asked from the destinations. Never throws for one that does not answer. */
export async function keptStates(studyDir: string, config: SweepConfig): Promise<KeptStates> {
  const projectRoot = findProjectRoot(studyDir);
  const silent = { info: () => undefined, warn: () => undefined };
  try {
    const drive = createConfiguredDrive(config, projectRoot, { log: silent });
    if (drive === undefined) return { states: [], errors: [] };
    try {
      const { backups, errors } = await listBackups(drive, { path: join(studyDir, STUDY_DB) });
      const states = destinationsOf(config).flatMap(({ name, keep }) => {
        const own = backups.filter(({ destination }) => destination === name);
        const names = own.flatMap(({ snapshot }) => parseManifestName(snapshot) ?? []);
        const reasons = new Map(planRetention(names, keep).map((one) => [one.manifest.name, one.reasons]));
        return own.map(({ snapshot, createdAt, finishedTrials }) => ({
          destination: name,
          snapshot,
          createdAt,
          finishedTrials,
          reasons: reasons.get(snapshot) ?? [],
        }));
      });
      return { states, errors };
    } finally {
      await drive.close();
    }
  } catch (error) {
    return { states: [], errors: [{ destination: 'all', error: messageOf(error) }] };
  }
}
