import { randomBytes } from 'node:crypto';
import { lstatSync, mkdirSync, readdirSync, rmSync, type Stats } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { basename, dirname, join } from 'node:path';

import { messageOf, ResweepError } from '../../core/errors.js';
import type { SnapshotSource, StudyFileReport } from '../../core/snapshot-source.js';
import { DATABASE_CHUNK_BYTES, digestFile, type FileDigest } from '../files/file-digest.js';
import { filesBeingWritten } from '../files/open-files.js';
import { isGrowingLog, isSidecar, isUnfinished } from '../files/unfinished-names.js';
import { copyWholeLines } from '../files/whole-lines.js';
import { studyContent } from '../format/study-content.js';
import type { Capture, CapturedFile } from './capture.js';
import { KnownDigests, signatureOf } from './known-digests.js';

/** A target cannot be backed up as it is: missing, no study in it, or it does not hold still. */
export class CaptureError extends ResweepError {
  constructor(message: string, options: { hint?: string; cause?: unknown } = {}) {
    super('BACKUP_CAPTURE', message, options);
  }
}

export interface CaptureRequest {
  /** Key of the target. */
  readonly target: string;
  /** Local path. */
  readonly path: string;
  readonly isDirectory: boolean;
  readonly full: boolean;
  /** Members of a folder that have a target of their own, relative to it. */
  readonly exclude?: readonly string[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

const ROUNDS = 3;
/** A file that somebody has open for writing is looked at again after this. */
const WRITING_WAIT_MS = 300;
/** Files of one folder that are written within this time of each other belong together: read only once it has passed. */
const QUIET_MS = 250;
const QUIET_ROUNDS = 12;
/** Who pauses in the middle of a file goes on within this. */
const YOUNG_MS = 10 * 60_000;

/** Takes consistent states of files, databases and folders. Remembers digests, so that what did not change is not read again. */
export class TargetCapturer {
  readonly #snapshots: SnapshotSource | undefined;
  readonly #temporary: string;
  readonly #digests = new KnownDigests();
  readonly #trials = new Map<string, { lineage: string | undefined; digests: ReadonlyMap<number, string> }>();
  readonly #held = new Map<Capture, string>();
  readonly #queues = new Map<string, Promise<void>>();
  #sequence = 0;

  /** `temporary`: a folder of this process alone, made when it is needed. */
  constructor(snapshots: SnapshotSource | undefined, temporary: string) {
    this.#snapshots = snapshots;
    this.#temporary = temporary;
  }

  /** One at a time for each target, so that a later sequence means a later state. @throws CaptureError */
  capture(request: CaptureRequest): Promise<Capture> {
    const before = this.#queues.get(request.target) ?? Promise.resolve();
    const run = before.then(() => this.#capture(request));
    this.#queues.set(
      request.target,
      run.then(
        () => undefined,
        () => undefined,
      ),
    );
    return run;
  }

  async #capture(request: CaptureRequest): Promise<Capture> {
    const startedAt = performance.now();
    const folder = join(this.#temporary, randomBytes(6).toString('hex'));
    mkdirSync(folder, { recursive: true });
    try {
      const taken = request.isDirectory ? await this.#folder(request, folder) : await this.#single(request, folder);
      const { files, report } = taken;
      const capture: Capture = {
        target: request.target,
        sequence: ++this.#sequence,
        kind: request.isDirectory ? 'folder' : 'file',
        files,
        bytes: files.reduce((sum, file) => sum + file.digest.bytes, 0),
        takenAt: Date.now(),
        full: request.full,
        report,
        study: report?.studyName === undefined ? undefined : studyContent(report),
        skipped: taken.skipped,
        costMs: performance.now() - startedAt,
      };
      this.#held.set(capture, folder);
      return capture;
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** Removes what a capture holds on disk. */
  release(capture: Capture): void {
    const folder = this.#held.get(capture);
    this.#held.delete(capture);
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  }

  close(): void {
    rmSync(this.#temporary, { recursive: true, force: true });
  }

  async #single(request: CaptureRequest, folder: string): Promise<Taken> {
    const stats = lstatSync(request.path, { throwIfNoEntry: false });
    if (stats?.isSymbolicLink() === true)
      throw new CaptureError(`${request.path} is a link; back up what it points to.`);
    if (stats?.isFile() !== true)
      throw new CaptureError(`${request.path} is ${stats === undefined ? 'missing' : 'no file'}.`);
    return { ...(await this.#file(request.path, '', folder, request)), skipped: [] };
  }

  async #file(
    path: string,
    member: string,
    folder: string,
    request: CaptureRequest,
  ): Promise<{ files: CapturedFile[]; report: StudyFileReport | undefined }> {
    if (basename(path) === 'study.db' && this.#snapshots === undefined) {
      throw new CaptureError(`${path} is a database, and nothing was given that can take a snapshot of it.`);
    }
    if (this.#snapshots !== undefined && (basename(path) === 'study.db' || (await this.#snapshots.isDatabase(path)))) {
      return this.#database(this.#snapshots, path, member, folder, request);
    }
    if (isGrowingLog(basename(path))) {
      return { files: [await this.#log(path, member, folder)], report: undefined };
    }
    for (let round = 1; ; round++) {
      const before = lstatSync(path);
      const digest = await this.#digest(path, before, request.signal);
      if (signatureOf(before) === signatureOf(lstatSync(path)) && digest.bytes === before.size) {
        return { files: [{ path: member, source: path, digest, modifiedAt: before.mtimeMs }], report: undefined };
      }
      if (round === ROUNDS) throw new CaptureError(`${path} changes faster than it can be read.`);
    }
  }

  async #digest(path: string, stats: Stats, signal: AbortSignal | undefined): Promise<FileDigest> {
    const known = this.#digests.get(path, stats);
    if (known !== undefined) return known;
    const digest = await digestFile(path, Infinity, signal);
    this.#digests.set(path, stats, digest);
    return digest;
  }

  async #database(
    snapshots: SnapshotSource,
    path: string,
    member: string,
    folder: string,
    request: CaptureRequest,
  ): Promise<{ files: CapturedFile[]; report: StudyFileReport }> {
    const copy = join(folder, `${randomBytes(4).toString('hex')}.db`);
    const modifiedAt = lstatSync(path).mtimeMs;
    if (lstatSync(path).size === 0) throw new CaptureError(`${path} is empty: not backed up.`);
    await snapshots.snapshot(path, copy);
    const known = this.#trials.get(path);
    let report = await snapshots.inspect(copy, {
      checkIntegrity: request.full,
      ...(known === undefined || request.full ? {} : { knownTrials: known.digests }),
    });
    // Another study took the place of the one that is known: nothing known holds for it.
    if (!request.full && known?.lineage !== report.lineage) report = await snapshots.inspect(copy);
    const usable = report.intact || (report.sound === true && basename(path) !== 'study.db');
    if (!usable) throw new CaptureError(`${path} is not backed up: ${report.problem ?? 'it holds no study'}.`);
    this.#trials.set(path, { lineage: report.lineage, digests: report.trialDigests });
    const digest = await digestFile(copy, Infinity, request.signal, DATABASE_CHUNK_BYTES);
    return { files: [{ path: member, source: copy, digest, modifiedAt }], report };
  }

  /** Whole lines of a growing file, as of now, in a copy of its own. */
  async #log(path: string, member: string, folder: string): Promise<CapturedFile> {
    const copy = join(folder, randomBytes(6).toString('hex'));
    const stats = lstatSync(path);
    await copyWholeLines(path, stats.size, copy);
    return { path: member, source: copy, digest: await digestFile(copy), modifiedAt: stats.mtimeMs };
  }

  async #folder(request: CaptureRequest, folder: string): Promise<Taken> {
    const stats = lstatSync(request.path, { throwIfNoEntry: false });
    if (stats?.isDirectory() !== true) {
      throw new CaptureError(`${request.path} is ${stats === undefined ? 'missing' : 'no folder'}.`);
    }
    const skipped: { path: string; reason: string }[] = [];
    const taken = new Map<string, { files: CapturedFile[]; reports: (StudyFileReport | undefined)[] }>();
    // Folder by folder: each holds still while it is read, or is read again.
    const exclude = new Set(request.exclude);
    for (const below of foldersOf(request.path, exclude)) {
      for (let round = 1; ; round++) {
        const before = await quietMembers(request.path, below, exclude, request.signal);
        if (before === undefined) break;
        const files: CapturedFile[] = [];
        const reports: (StudyFileReport | undefined)[] = [];
        let problem: string | undefined;
        for (const name of before.names) {
          const member = below === '' ? name : `${below}/${name}`;
          try {
            const one = await this.#file(join(request.path, member), member, folder, request);
            files.push(...one.files);
            reports.push(one.report);
          } catch (error) {
            request.signal?.throwIfAborted();
            // A database that is refused is left out by itself; what vanished shows in the signature.
            if (error instanceof CaptureError) skipped.push({ path: member, reason: error.message });
            else problem = messageOf(error);
          }
        }
        if (problem === undefined && membersOf(request.path, below, exclude)?.signature === before.signature) {
          problem = beingWritten(request.path, files);
          if (problem === undefined) {
            taken.set(below, { files, reports });
            break;
          }
          await delay(WRITING_WAIT_MS);
        }
        if (round === ROUNDS) {
          skipped.push({ path: below, reason: problem ?? 'it changes faster than it can be read' });
          break;
        }
      }
    }
    const files = [...taken.values()].flatMap((part) => part.files);
    files.sort((a, b) => (a.path < b.path ? -1 : 1));
    this.#digests.keepOnly(request.path, new Set(files.map(({ source }) => source)));
    const report = [...taken.values()]
      .flatMap((part) => part.reports)
      .find((candidate) => candidate?.studyName !== undefined);
    return { files, report, skipped };
  }
}

/** A file that holds still only because its writer pauses is not whole. Only one that changed lately can be such. */
function beingWritten(root: string, files: readonly CapturedFile[]): string | undefined {
  const young = files.filter(
    ({ path, modifiedAt }) =>
      Date.now() - modifiedAt < YOUNG_MS && !isGrowingLog(basename(path)) && !isDatabaseName(path),
  );
  if (young.length === 0) return undefined;
  const open = filesBeingWritten(root);
  const found = young.find(({ path }) => open.has(path));
  return found === undefined ? undefined : `${found.path} is being written`;
}

function isDatabaseName(path: string): boolean {
  return /\.(?:db|sqlite3?)$/.test(path);
}

interface Taken {
  readonly files: CapturedFile[];
  readonly report: StudyFileReport | undefined;
  readonly skipped: { path: string; reason: string }[];
}

/** The folder itself (`''`) and all below it that are finished, by path with `/`. Links are not followed. */
function foldersOf(root: string, exclude: ReadonlySet<string>, below = ''): string[] {
  const found = [below];
  for (const entry of readdirSync(join(root, below), { withFileTypes: true })) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    if (!entry.isDirectory() || isUnfinished(entry.name) || exclude.has(path)) continue;
    try {
      found.push(...foldersOf(root, exclude, path));
    } catch {
      // Gone meanwhile.
    }
  }
  return found;
}

/**
 * As `membersOf`, once none of several files was written within `QUIET_MS`: a writer that replaces them one after another in place
 * is not read in the middle. Bounded: a folder that never rests is judged by its signature alone.
 */
async function quietMembers(
  root: string,
  below: string,
  exclude: ReadonlySet<string>,
  signal: AbortSignal | undefined,
): Promise<ReturnType<typeof membersOf>> {
  for (let round = 1; ; round++) {
    const members = membersOf(root, below, exclude);
    if (members === undefined || members.still.length < 2 || round === QUIET_ROUNDS) return members;
    const age = Date.now() - Math.max(...members.still);
    // A time that lies ahead is another machine's, or of a clock that jumped.
    if (age >= QUIET_MS || age < 0) return members;
    await delay(QUIET_MS - age, undefined, { signal });
  }
}

/** Files directly in a folder, and a signature that changes with any of them (logs may grow, databases may be written). */
function membersOf(
  root: string,
  below: string,
  exclude: ReadonlySet<string>,
): { readonly names: string[]; readonly signature: string; readonly still: number[] } | undefined {
  const folder = join(root, below);
  let entries;
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch {
    return undefined;
  }
  const siblings = new Set(entries.map((entry) => entry.name));
  const names = entries
    .filter((entry) => entry.isFile() && !isUnfinished(entry.name) && !isSidecar(entry.name, siblings))
    .map((entry) => entry.name)
    .filter((name) => !exclude.has(below === '' ? name : `${below}/${name}`))
    .sort();
  /** When each of those that are written whole was changed. */
  const still: number[] = [];
  const parts = names.map((name) => {
    const stats = lstatSync(join(folder, name), { throwIfNoEntry: false });
    const lively = isGrowingLog(name) || siblings.has(`${name}-wal`) || /\.(?:db|sqlite3?)$/.test(name);
    if (stats !== undefined && !lively) still.push(Math.max(stats.mtimeMs, stats.ctimeMs));
    return `${name} ${stats === undefined ? 'gone' : lively ? '' : signatureOf(stats)}`;
  });
  return { names, still, signature: [lstatSync(dirname(join(folder, 'x'))).ino, ...parts].join('\n') };
}
