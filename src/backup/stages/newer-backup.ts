import { lstatSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

import type { BackupOptions } from '../backup-options.js';
import { ChunkReader } from '../chunks/chunk-reader.js';
import { coreOf } from '../drive/drive.js';
import { digestFile } from '../files/file-digest.js';
import { loadManifest } from '../format/catalog.js';
import { findCandidates } from '../restore/restore-candidates.js';

/** A saved state that is newer than what is here, and differs from it. */
export interface NewerBackup {
  readonly destination: string;
  /** ISO 8601. */
  readonly createdAt: string;
}

/**
 * Whether the best saved state of a file or folder is newer than what is here and holds something else. What is here is used all the
 * same: this is for a word to people. Never throws, and waits no longer than `timeoutMs`.
 */
export async function newerBackup(
  o: { readonly path: string } & BackupOptions,
  timeoutMs = 500,
): Promise<NewerBackup | undefined> {
  const core = coreOf(o.restoreFromDrive);
  if (core === undefined || o.backupEnabled === false) return undefined;
  try {
    const signal = AbortSignal.timeout(timeoutMs);
    const target = core.target(o.path);
    const [best] = (await findCandidates(core.destinations, target, {}, signal)).candidates;
    if (best === undefined || best.name.createdAt <= newestTime(o.path)) return undefined;
    const manifest = await loadManifest(best.destination, target, best.name.name, { signal });
    for (const member of await new ChunkReader(best.destination, signal).members(manifest)) {
      const path = member.path === '' ? o.path : join(o.path, member.path);
      const here = lstatSync(path, { throwIfNoEntry: false });
      if (here?.isFile() !== true) continue;
      if (here.size === member.bytes && (await digestFile(path, Infinity, signal)).sha256 === member.sha256) continue;
      return { destination: best.destination.name, createdAt: manifest.createdAt };
    }
    return undefined;
  } catch {
    return undefined;
  }
}

/** Milliseconds since 1970 at which a file, or any file in a folder, changed last. */
function newestTime(path: string): number {
  const stats = statSync(path);
  if (!stats.isDirectory()) return stats.mtimeMs;
  return readdirSync(path, { recursive: true, encoding: 'utf8' }).reduce(
    (newest, name) => Math.max(newest, statSync(join(path, name)).mtimeMs),
    0,
  );
}
