import { lstatSync, mkdirSync, rmSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';

import { explanationOf, messageOf, ResweepError } from '../../core/errors.js';
import type { SnapshotSource, StudyFileReport } from '../../core/snapshot-source.js';
import { DamagedDataError } from '../chunks/chunk-codec.js';
import { ChunkReader } from '../chunks/chunk-reader.js';
import { DestinationError, type Destination } from '../destinations/destination.js';
import { digestFile } from '../files/file-digest.js';
import { asidePath, InTheWayError, putFileInPlace } from '../files/put-in-place.js';
import { loadManifest } from '../format/catalog.js';
import type { Manifest, Member } from '../format/manifest.js';
import type { Candidate } from './restore-candidates.js';
import type { Fallback } from './restore-result.js';

/** What a restore works with. */
export interface RestoreTools {
  readonly snapshots: SnapshotSource | undefined;
  /** A folder of this process alone, for what is fetched aside. */
  readonly temporary: string;
  readonly signal?: AbortSignal | undefined;
  /** Name of the study that a database must hold, where it is known. */
  readonly studyName?: string | undefined;
  readonly onProgress?: ((progress: RestoreProgress) => void) | undefined;
}

/** How far the restore of one target is. */
export interface RestoreProgress {
  /** Relative to the project root. */
  readonly target: string;
  readonly destination: string;
  readonly doneBytes: number;
  readonly totalBytes: number;
}

/** Counts what is written of one state, for `onProgress`. */
export function progressOf(
  tools: RestoreTools,
  { destination }: Candidate,
  target: string,
  totalBytes: number,
): (bytes: number) => void {
  let doneBytes = 0;
  return (bytes) => {
    doneBytes += bytes;
    tools.onProgress?.({ target, destination: destination.name, doneBytes, totalBytes });
  };
}

/** Fetches a mirror once, when a chunk is missing. */
export class SpareMirror {
  readonly #destination: Destination;
  readonly #key: string;
  readonly #tools: RestoreTools;
  #file: Promise<string | undefined> | undefined;

  constructor(destination: Destination, key: string, tools: RestoreTools) {
    this.#destination = destination;
    this.#key = key;
    this.#tools = tools;
  }

  readonly fetch = (): Promise<string | undefined> => (this.#file ??= this.#fetch());

  async #fetch(): Promise<string | undefined> {
    if (!this.#destination.traits.mirror) return undefined;
    mkdirSync(this.#tools.temporary, { recursive: true });
    const file = join(this.#tools.temporary, `spare-${randomBytes(6).toString('hex')}`);
    try {
      const found = await this.#destination.download(this.#key, file, { signal: this.#tools.signal });
      return found === undefined ? undefined : file;
    } catch {
      return undefined; // Spare means spare.
    }
  }

  async remove(): Promise<void> {
    const file = await this.#file;
    if (file !== undefined) rmSync(file, { force: true });
  }
}

/**
 * Writes one member of a manifest to `path`, verified: every chunk, the whole file, and (a database) its integrity and
 * identity. Returns what a database holds. @throws DamagedDataError, DestinationError, InTheWayError
 */
export async function restoreMember(
  reader: ChunkReader,
  manifest: Manifest,
  member: Member,
  path: string,
  spare: SpareMirror,
  tools: RestoreTools,
  onBytes?: (bytes: number) => void,
): Promise<StudyFileReport | undefined> {
  const aside = asidePath(path);
  try {
    await reader.writeFile(manifest, member, aside, spare.fetch, onBytes);
    const digest = await digestFile(aside, Infinity, tools.signal);
    if (digest.sha256 !== member.sha256) throw new DamagedDataError(`${path}: the restored file has another checksum.`);
    const report = await inspectDatabase(aside, tools);
    if (report !== undefined && manifest.study !== null) assertSameStudy(report, manifest, tools);
    putFileInPlace(aside, path);
    return report;
  } finally {
    rmSync(aside, { force: true });
  }
}

/** Undefined for what is no database. @throws DamagedDataError for one that cannot be used. */
async function inspectDatabase(file: string, tools: RestoreTools): Promise<StudyFileReport | undefined> {
  if (tools.snapshots === undefined || !(await tools.snapshots.isDatabase(file))) return undefined;
  const report = await tools.snapshots.inspect(file);
  if (!report.intact && report.sound !== true)
    throw new DamagedDataError(`The database is not intact: ${report.problem ?? '?'}`);
  return report;
}

function assertSameStudy(report: StudyFileReport, manifest: Manifest, tools: RestoreTools): void {
  const { study, lineage } = manifest;
  if (tools.studyName !== undefined && report.studyName !== tools.studyName) {
    throw new DamagedDataError(`It holds the study "${report.studyName ?? ''}", not "${tools.studyName}".`);
  }
  if (report.studyName !== (study?.name ?? undefined) || (lineage !== null && report.lineage !== lineage)) {
    throw new DamagedDataError('The database holds another study than its manifest says.');
  }
  if (report.finished !== study?.finished) {
    throw new DamagedDataError(`It holds ${report.finished} finished trials, not ${String(study?.finished)}.`);
  }
}

/** Restores one file from one saved state. @throws as `restoreMember`, and ManifestError */
export async function restoreFileFrom(
  candidate: Candidate,
  target: string,
  path: string,
  tools: RestoreTools,
): Promise<{ readonly manifest: Manifest; readonly report: StudyFileReport | undefined }> {
  const { destination, name } = candidate;
  const manifest = await loadManifest(destination, target, name.name, { signal: tools.signal });
  const reader = new ChunkReader(destination, tools.signal);
  const [member] = await reader.members(manifest);
  if (manifest.kind !== 'file' || member === undefined)
    throw new DamagedDataError(`${target} was backed up as a folder.`);
  const spare = new SpareMirror(destination, target, tools);
  try {
    const onBytes = progressOf(tools, candidate, target, member.bytes);
    return { manifest, report: await restoreMember(reader, manifest, member, path, spare, tools, onBytes) };
  } finally {
    await spare.remove();
  }
}

/**
 * Takes a plain copy where no manifest can be read: the name of one vouches for its checksum, or there is none at all (a copy of
 * before this format). A database must be intact. @returns undefined where there is none. @throws DamagedDataError
 */
export async function restoreMirror(
  destination: Destination,
  key: string,
  path: string,
  tools: RestoreTools,
  isVouchedFor: (sha256: string) => boolean,
): Promise<
  { readonly bytes: number; readonly sha256: string; readonly report: StudyFileReport | undefined } | undefined
> {
  // Nothing is made on this disk, not even a folder, before there is something to put into it.
  if (!fileExists(dirname(path)) && !(await hasObject(destination, key, tools.signal))) return undefined;
  const aside = asidePath(path);
  try {
    const found = await destination.download(key, aside, { signal: tools.signal });
    if (found === undefined) return undefined;
    const digest = await digestFile(aside);
    if (digest.sha256 !== found.sha256 || digest.bytes === 0)
      throw new DamagedDataError(`${key} is empty or arrived damaged.`);
    if (!isVouchedFor(digest.sha256))
      throw new DamagedDataError(`${key} is none of the saved states: damaged, or not ours.`);
    const report = await inspectDatabase(aside, tools);
    if (path.endsWith('.db') && report === undefined) throw new DamagedDataError(`${key} is no database.`);
    if (tools.studyName !== undefined && report !== undefined && report.studyName !== tools.studyName) {
      throw new DamagedDataError(`It holds the study "${report.studyName ?? ''}", not "${tools.studyName}".`);
    }
    putFileInPlace(aside, path);
    return { ...found, report };
  } finally {
    rmSync(aside, { force: true });
  }
}

async function hasObject(destination: Destination, key: string, signal: AbortSignal | undefined): Promise<boolean> {
  const { objects } = await destination.list(key.slice(0, key.lastIndexOf('/') + 1), { signal });
  return objects.some((object) => object.key === key);
}

/** Errors after which another state may still do; what is wrong on this machine ends the restore. */
export function fallbackReason(error: unknown): Pick<Fallback, 'reason' | 'unreachable' | 'frozen'> {
  if (error instanceof InTheWayError || isOfThisMachine(error)) throw error;
  const said = error instanceof DestinationError ? error.reason : 'damaged';
  return {
    // Of what does not answer: with the fix.
    reason: error instanceof DestinationError && said !== 'archived' ? explanationOf(error) : messageOf(error),
    unreachable: said !== 'damaged' && said !== 'archived',
    ...(said === 'archived' ? { frozen: true } : {}),
  };
}

/** A full disk, a folder that cannot be made: no copy is to blame, and none would do better. */
function isOfThisMachine(error: unknown): boolean {
  if (error instanceof ResweepError) return error instanceof DestinationError && error.reason === 'localFile';
  return typeof (error as NodeJS.ErrnoException).syscall === 'string';
}

export function fileExists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}
