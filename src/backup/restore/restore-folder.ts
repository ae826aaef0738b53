import { lstatSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { messageOf } from '../../core/errors.js';
import { DamagedDataError } from '../chunks/chunk-codec.js';
import { ChunkReader } from '../chunks/chunk-reader.js';
import { callsAtOnce, eachAtOnce } from '../destinations/at-once.js';
import { digestFile } from '../files/file-digest.js';
import { asidePath, memberPath, putFolderInPlace } from '../files/put-in-place.js';
import { isGrowingLog } from '../files/unfinished-names.js';
import { loadManifest } from '../format/catalog.js';
import type { Manifest, Member } from '../format/manifest.js';
import type { Candidate } from './restore-candidates.js';
import { fileExists, progressOf, restoreMember, SpareMirror, type RestoreTools } from './restore-file.js';

/** Restored at the same time from a place that is far away. */
const FILES_AT_ONCE = 4;

/** Local files and a saved state belong to different moments; completing would mix them. */
export class MixedGenerationsError extends DamagedDataError {}

/** A saved state has nothing of what was asked for. */
export class NotInStateError extends DamagedDataError {}

function sizeOf(members: readonly Member[]): number {
  return members.reduce((sum, member) => sum + member.bytes, 0);
}

export interface RestoredFolder {
  readonly manifest: Manifest;
  /** Members that were written. */
  readonly files: readonly string[];
  readonly bytes: number;
  /** False where nothing of the folder was here before. */
  readonly completed: boolean;
}

/**
 * Restores a folder from one saved state. A folder that is missing appears whole or not at all. One that is partly here is
 * completed; what is here is kept. In a folder where some files are missing, the others must be those of the same state
 * (growing logs and databases excepted), or nothing is done. `part`: only what lies below this member path, which then is `path`.
 * @throws MixedGenerationsError, DamagedDataError, ManifestError, DestinationError, InTheWayError
 */
export async function restoreFolderFrom(
  candidate: Candidate,
  target: string,
  path: string,
  tools: RestoreTools,
  restoreDatabase: (member: string, path: string) => Promise<boolean>,
  part?: string,
): Promise<RestoredFolder> {
  const { destination, name } = candidate;
  const manifest = await loadManifest(destination, target, name.name, { signal: tools.signal });
  if (manifest.kind !== 'folder') throw new DamagedDataError(`${target} was backed up as a file.`);
  const reader = new ChunkReader(destination, tools.signal);
  const below = part === undefined ? '' : `${part}/`;
  const members = (await reader.members(manifest))
    .filter((member) => member.path.startsWith(below))
    .map((member) => ({ ...member, path: member.path.slice(below.length) }));
  if (members.length === 0 && part !== undefined) throw new NotInStateError(`${target} holds no ${part}.`);
  const whole = isEmpty(path);
  const missing = whole ? members : await missingMembers(path, members);
  const root = whole ? asidePath(path) : path;
  const onBytes = progressOf(tools, candidate, `${target}/${below}`.slice(0, -1), sizeOf(missing));
  try {
    mkdirSync(root, { recursive: true });
    await eachAtOnce(missing, Math.min(FILES_AT_ONCE, callsAtOnce(destination)), async (member) => {
      const place = memberPath(root, member.path);
      mkdirSync(dirname(place), { recursive: true });
      // A database has a newer state of its own, as a rule.
      if (basename(member.path) === 'study.db' && (await restoreDatabase(below + member.path, place))) return;
      const spare = new SpareMirror(destination, `${target}/${below}${member.path}`, tools);
      try {
        await restoreMember(reader, manifest, member, place, spare, tools, onBytes);
      } finally {
        await spare.remove();
      }
    });
    if (whole) putFolderInPlace(root, path);
  } finally {
    if (whole) rmSync(root, { recursive: true, force: true });
  }
  return {
    manifest,
    files: missing.map((member) => member.path),
    bytes: sizeOf(missing),
    completed: !whole,
  };
}

/** Whether there is nothing at `path`, or a folder without any file. */
export function isEmpty(path: string): boolean {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return true;
  try {
    // Only a folder that can be replaced by a rename counts.
    return stats.isDirectory() && readdirSync(path).length === 0;
  } catch (error) {
    throw new DamagedDataError(`${path} cannot be read: ${messageOf(error)}`);
  }
}

/** Members that are not here, and a refusal where completing them would mix generations. */
async function missingMembers(path: string, members: readonly Member[]): Promise<Member[]> {
  const missing: Member[] = [];
  const byFolder = new Map<string, { missing: number; present: Member[] }>();
  for (const member of members) {
    const folder = dirname(member.path);
    const entry = byFolder.get(folder) ?? { missing: 0, present: [] };
    byFolder.set(folder, entry);
    if (fileExists(memberPath(path, member.path))) {
      entry.present.push(member);
    } else {
      entry.missing++;
      missing.push(member);
    }
  }
  for (const [folder, entry] of byFolder) {
    if (entry.missing === 0) continue;
    for (const member of entry.present) {
      const name = basename(member.path);
      if (isGrowingLog(name) || /\.(?:db|sqlite3?)$/.test(name)) continue;
      const { sha256 } = await digestFile(join(path, member.path));
      if (sha256 === member.sha256) continue;
      throw new MixedGenerationsError(
        `${join(path, folder)} is incomplete, and its ${name} is not the one of this backup: completing it would mix generations.`,
      );
    }
  }
  return missing;
}

/** Restores one file of a folder from one saved state. @throws as `restoreFolderFrom`; NotInStateError where it is no file of it */
export async function restorePartFile(
  candidate: Candidate,
  target: string,
  part: string,
  path: string,
  tools: RestoreTools,
): Promise<Member> {
  const { destination, name } = candidate;
  const manifest = await loadManifest(destination, target, name.name, { signal: tools.signal });
  const reader = new ChunkReader(destination, tools.signal);
  const member = (await reader.members(manifest)).find((candidateMember) => candidateMember.path === part);
  if (member === undefined) throw new NotInStateError(`${target} holds no ${part}.`);
  const spare = new SpareMirror(destination, `${target}/${part}`, tools);
  try {
    const onBytes = progressOf(tools, candidate, `${target}/${part}`, member.bytes);
    await restoreMember(reader, { ...manifest, study: null }, member, path, spare, tools, onBytes);
  } finally {
    await spare.remove();
  }
  return member;
}
