import { createHash } from 'node:crypto';
import {
  createWriteStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';

import { messageOf, ResweepError, UsageError } from '../../core/errors.js';
import type { SnapshotSource } from '../../core/snapshot-source.js';
import type { BackupLog } from '../backup-event.js';
import { FolderDestination } from '../destinations/folder/folder-destination.js';
import { STORE, unsafePathReason } from '../destinations/object-key.js';
import { createDrive, type Drive } from '../drive/drive.js';
import { digestFile, sha256Of } from '../files/file-digest.js';
import { listTargets } from '../format/catalog.js';
import { BackupCoordinator } from '../sweep/backup-coordinator.js';

const SUMS = 'SHA256SUMS';
const README = 'README.txt';

/** A study to be put into an archive. */
export interface ArchivedStudy {
  readonly studyDb: string;
  /** Its folder: checkpoints, configuration, logs. */
  readonly studyFolder: string;
}

export interface ExportOptions {
  readonly projectRoot: string;
  readonly snapshotSource: SnapshotSource;
  readonly studies: readonly ArchivedStudy[];
  /** Other files and folders below the project root. */
  readonly paths?: readonly string[];
  readonly log?: BackupLog | undefined;
}

export interface ExportReport {
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
  /** Relative to the project root. */
  readonly targets: readonly string[];
  readonly durationMs: number;
}

/** An archive does not hold what it should. Exit code 3. */
export class ArchiveError extends ResweepError {
  constructor(message: string, cause?: unknown) {
    super('ARCHIVE', message, { cause, exitCode: 3 });
  }
}

/**
 * Writes one file that holds whole studies: a ZIP with the objects of a backup destination (`docs/backup-format.md`), a plain copy of
 * each database, and `SHA256SUMS` over all of it. It is read back before it gets its name.
 * @throws UsageError where `file` exists; ArchiveError where a study could not be saved or the file does not read back
 */
export async function exportArchive(file: string, options: ExportOptions): Promise<ExportReport> {
  const startedAt = performance.now();
  const target = resolve(file);
  if (existsSync(target)) throw new UsageError(`${target} exists: an export overwrites nothing.`);
  mkdirSync(dirname(target), { recursive: true });
  const store = mkdtempSync(join(dirname(target), '.resweep-export-'));
  const part = join(store, 'archive.part');
  try {
    const content = join(store, 'content');
    mkdirSync(content);
    const targets = await fillStore(content, options);
    await writeZip(content, part);
    const check = mkdtempSync(join(store, 'check-'));
    await extract(part, check);
    rmSync(check, { recursive: true });
    const digest = await digestFile(part);
    if (existsSync(target)) throw new UsageError(`${target} exists: an export overwrites nothing.`);
    await rename(part, target);
    return {
      file: target,
      bytes: digest.bytes,
      sha256: digest.sha256,
      targets,
      durationMs: performance.now() - startedAt,
    };
  } finally {
    await rm(store, { recursive: true, force: true });
  }
}

/** Saves everything into a folder as to a destination. Returns the targets. */
async function fillStore(content: string, options: ExportOptions): Promise<string[]> {
  const { projectRoot, snapshotSource, log } = options;
  const destination = new FolderDestination({ name: 'archive', path: content, projectRoot });
  const drive = createDrive({ projectRoot, snapshotSource, destinations: [destination], ...(log && { log }) });
  try {
    for (const { studyDb, studyFolder } of options.studies) {
      const coordinator = new BackupCoordinator({ drive, studyDb, studyFolder });
      try {
        const report = await coordinator.flush(24 * 3_600_000);
        const [status] = report.destinations;
        if (!report.complete)
          throw new ArchiveError(`${studyDb} could not be exported: ${status?.error ?? 'not saved'}`);
      } finally {
        await coordinator.close();
      }
    }
    for (const path of options.paths ?? []) {
      const saved = await drive.backup(path);
      if (!saved.ok) throw new ArchiveError(`${path} could not be exported: ${saved.error ?? 'not saved'}`);
    }
    const targets = await listTargets(destination);
    // Plain copies of databases stay, for people; those of folders are in the packs already.
    const plain = new Set(targets);
    for (const path of filesBelow(content)) {
      if (!path.startsWith(`${STORE}/`) && !plain.has(path)) rmSync(join(content, path));
    }
    return targets;
  } finally {
    await drive.close();
  }
}

async function writeZip(content: string, part: string): Promise<void> {
  const { ZipFile } = (await import('yazl')).default;
  const zip = new ZipFile();
  const sums: string[] = [];
  const at = new Date(Date.UTC(2020, 0, 1)); // The same content gives the same file.
  for (const path of filesBelow(content)) {
    const { sha256 } = await digestFile(join(content, path));
    sums.push(`${sha256}  ${path}\n`);
    zip.addFile(join(content, path), path, { mtime: at, compress: !path.endsWith('.pack') });
  }
  const explanation = Buffer.from(EXPLANATION);
  sums.push(`${sha256Of(explanation)}  ${README}\n`);
  zip.addBuffer(explanation, README, { mtime: at });
  zip.addBuffer(Buffer.from(sums.join('')), SUMS, { mtime: at });
  zip.end();
  await pipeline(zip.outputStream, createWriteStream(part, { flags: 'wx' }));
  const handle = await open(part, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

const EXPLANATION = `A resweep archive: whole studies, for a machine without network.

  resweep restore --from THIS_FILE             into the project of the present folder
  resweep restore --from THIS_FILE --to DIR    into a folder of its own
  resweep backup verify THIS_FILE              every byte, every database

Without resweep: unzip it, run "sha256sum -c SHA256SUMS", and take the study.db files: they are whole Optuna databases.
`;

/**
 * Unpacks an archive into a folder and holds every file against `SHA256SUMS`.
 * @throws ArchiveError where it is none, damaged, incomplete, or holds a name that leaves its place
 */
async function extract(file: string, folder: string): Promise<void> {
  const yauzl = (await import('yauzl')).default;
  const found = new Map<string, string>();
  let sums: string | undefined;
  try {
    const zip = await yauzl.openPromise(file);
    for await (const entry of zip.eachEntry()) {
      const name = entry.fileName;
      if (name.endsWith('/')) continue;
      const reason = unsafePathReason(name);
      if (reason !== undefined) throw new ArchiveError(`${file}: "${name}" is refused: ${reason}.`);
      const path = join(folder, name);
      mkdirSync(dirname(path), { recursive: true });
      const hash = createHash('sha256');
      const stream = await zip.openReadStreamPromise(entry);
      stream.on('data', (bytes: Buffer) => hash.update(bytes));
      await pipeline(stream, createWriteStream(path, { flags: 'wx' }));
      if (name === SUMS) sums = readFileSync(path, 'utf8');
      else found.set(name, hash.digest('hex'));
    }
  } catch (error) {
    if (error instanceof ArchiveError) throw error;
    throw new ArchiveError(`${file} is no whole archive: ${messageOf(error)}`, error);
  }
  if (sums === undefined) throw new ArchiveError(`${file} is no archive of resweep: it has no ${SUMS}.`);
  for (const line of sums.split('\n')) {
    const [, sha256, path] = /^([0-9a-f]{64}) {2}(.+)$/.exec(line) ?? [];
    if (path === undefined) continue;
    if (found.get(path) !== sha256) throw new ArchiveError(`${file}: ${path} is missing or damaged.`);
    found.delete(path);
  }
  const [extra] = found.keys();
  if (extra !== undefined) throw new ArchiveError(`${file}: ${extra} does not belong to it.`);
}

/** An archive, opened for restoring from it. */
export interface OpenArchive {
  readonly drive: Drive;
  /** Everything in it, relative to a project root: databases before the folders around them. */
  readonly targets: readonly { readonly path: string; readonly isDirectory: boolean }[];
  close(): Promise<void>;
}

/** Whether a word on the command line means an archive rather than the name of a destination. */
export function isArchiveFile(word: string): boolean {
  return /\.zip$/i.test(word) || (isFile(word) && !/\.(ya?ml|db)$/i.test(word));
}

/**
 * Checks an archive and opens it as a drive of which it is the only destination.
 * @throws UsageError where there is no such file; ArchiveError where it is damaged
 */
export async function openArchive(
  file: string,
  options: {
    readonly projectRoot: string;
    readonly snapshotSource: SnapshotSource;
    readonly log?: BackupLog | undefined;
  },
): Promise<OpenArchive> {
  if (!existsSync(file)) throw new UsageError(`There is no archive ${file}.`);
  const { projectRoot, snapshotSource, log } = options;
  const folder = mkdtempSync(join(tmpdir(), 'resweep-archive-'));
  try {
    await extract(resolve(file), folder);
    const destination = new FolderDestination({ name: basename(file), path: folder, projectRoot });
    const drive = createDrive({ projectRoot, snapshotSource, destinations: [destination], ...(log && { log }) });
    const targets = await listTargets(destination);
    const described = targets.map((path) => ({ path, isDirectory: !isFile(join(folder, path)) }));
    return {
      drive,
      targets: described.sort((a, b) => Number(a.isDirectory) - Number(b.isDirectory)),
      close: async () => {
        await drive.close();
        rmSync(folder, { recursive: true, force: true });
      },
    };
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(folder.length + 1)
        .split('\\')
        .join('/'),
    )
    .sort();
}
