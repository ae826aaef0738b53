import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { threadId } from 'node:worker_threads';

import { stringifyJson, type JsonValue } from './json.js';

/** Writes a file aside, syncs it and renames it into place: a reader sees the old content or the new, never half. */
export function writeFileAtomically(path: string, content: string | Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  const aside = `${path}.${process.pid}-${threadId}.tmp`;
  try {
    const file = openSync(aside, 'w');
    try {
      const bytes = typeof content === 'string' ? Buffer.from(content) : content;
      for (let written = 0; written < bytes.length;) written += writeSync(file, bytes, written);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(aside, path);
  } catch (error) {
    rmSync(aside, { force: true });
    throw error;
  }
  syncFolder(dirname(path));
}

let asideCount = 0;

/** The same without holding up this thread while the disk syncs. Two calls for one path must not overlap. */
export async function writeFileAtomicallyAsync(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const aside = `${path}.${process.pid}-${threadId}-${asideCount++}.tmp`;
  try {
    const file = await open(aside, 'w');
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(aside, path);
  } catch (error) {
    await rm(aside, { force: true });
    throw error;
  }
  const folder = await open(dirname(path), 'r').catch(() => undefined);
  // As `syncFolder`: not every system and file system can.
  await folder?.sync().catch(() => undefined);
  await folder?.close();
}

/** The same for a JSON document, which ends with a line break. */
export function writeJsonAtomically(path: string, value: JsonValue): void {
  writeFileAtomically(path, `${stringifyJson(value)}\n`);
}

/** Makes a rename in this folder durable, where the system can. */
export function syncFolder(path: string): void {
  let folder: number;
  try {
    folder = openSync(path, 'r');
  } catch {
    return; // Windows cannot open a folder.
  }
  try {
    fsyncSync(folder);
  } catch {
    // Some file systems cannot sync a folder; the file itself is synced.
  } finally {
    closeSync(folder);
  }
}
