import { lstatSync } from 'node:fs';
import { dirname } from 'node:path';

import { messageOf, UsageError } from '../../core/errors.js';
import type { StudyFileReport } from '../../core/snapshot-source.js';
import type { BackupReporter } from '../backup-event.js';
import type { Destination } from '../destinations/destination.js';
import { removeLeftAside } from '../files/put-in-place.js';
import { otherHistories } from './other-histories.js';
import {
  candidateTest,
  findCandidates,
  byPriority,
  type Candidate,
  type CandidateFilter,
  type CandidateSearch,
} from './restore-candidates.js';
import { fallbackReason, fileExists, restoreFileFrom, restoreMirror, type RestoreTools } from './restore-file.js';
import {
  isEmpty,
  MixedGenerationsError,
  NotInStateError,
  restoreFolderFrom,
  restorePartFile,
} from './restore-folder.js';
import { isThere, type Fallback, type RestoreResult, type RestoreStatus } from './restore-result.js';

export interface RestoreRequest extends CandidateFilter {
  /** Key of the target. */
  readonly target: string;
  /** Where it goes. */
  readonly path: string;
  readonly isDirectory: boolean;
  /** Only this member of the folder `target`, a file or what lies below it. */
  readonly part?: string | undefined;
  /** Name of the only destination to ask. */
  readonly from?: string | undefined;
  /** Whether a plain copy without manifest may do. @default true */
  readonly acceptMirror?: boolean | undefined;
}

/**
 * Brings a target back: the best saved state that can be verified, over all destinations, into place atomically. Never
 * replaces a local file; never throws because of a backup, only for an `at` that is none (UsageError). Says in its result what it passed over, and tells "there is none"
 * from "could not ask" and from "damaged".
 */
export async function restore(
  all: readonly Destination[],
  request: RestoreRequest,
  tools: RestoreTools,
  reporter: BackupReporter,
): Promise<RestoreResult> {
  const startedAt = performance.now();
  const destinations = request.from === undefined ? all : all.filter(({ name }) => name === request.from);
  const { path, target, isDirectory } = request;
  const none: CandidateSearch = { candidates: [], searched: [] };
  const run = new RestoreRun(destinations, request, tools, reporter, startedAt);
  try {
    candidateTest(request); // Also where nothing is looked for, because it is here.
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (request.part !== undefined) {
      if (stats?.isFile() === true) return run.end('present', none);
      return await run.part(request.part, await findCandidates(destinations, target, request, tools.signal));
    }
    if (stats !== undefined && stats.isDirectory() !== isDirectory) {
      return run.end('refused', none, `${path} is ${isDirectory ? 'no folder' : 'a folder'}.`);
    }
    if (!isDirectory && fileExists(path)) {
      removeLeftAside(dirname(path));
      return run.end('present', none);
    }
    const search = await findCandidates(destinations, target, request, tools.signal);
    return isDirectory ? await run.folder(search) : await run.file(search);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    return run.end('refused', none, messageOf(error));
  }
}

class RestoreRun {
  readonly #destinations: readonly Destination[];
  readonly #request: RestoreRequest;
  readonly #tools: RestoreTools;
  readonly #reporter: BackupReporter;
  readonly #startedAt: number;
  readonly #fellBack: Fallback[] = [];

  constructor(
    destinations: readonly Destination[],
    request: RestoreRequest,
    tools: RestoreTools,
    reporter: BackupReporter,
    startedAt: number,
  ) {
    this.#destinations = destinations;
    this.#request = request;
    this.#tools = tools;
    this.#reporter = reporter;
    this.#startedAt = startedAt;
  }

  async file(search: CandidateSearch): Promise<RestoreResult> {
    const { target, path } = this.#request;
    for (const candidate of search.candidates) {
      try {
        const { manifest, report } = await restoreFileFrom(candidate, target, path, this.#tools);
        const what = { bytes: manifest.bytes, sha256: manifest.members?.[0]?.sha256, files: [''] };
        return await this.#restored('restored', search, candidate, { ...what, report });
      } catch (error) {
        this.#passOver(candidate.destination.name, candidate.name.name, fallbackReason(error));
      }
    }
    const { at, branch, acceptMirror = true } = this.#request;
    if (acceptMirror && at === undefined && branch === undefined) {
      const restored = await this.#mirror(search);
      if (restored !== undefined) return restored;
    }
    return this.#notThere(search);
  }

  async folder(search: CandidateSearch): Promise<RestoreResult> {
    const { target, path } = this.#request;
    let mixed: string | undefined;
    for (const candidate of search.candidates) {
      try {
        const { files, bytes, completed } = await restoreFolderFrom(
          candidate,
          target,
          path,
          this.#tools,
          (member, place) => this.#database(`${target}/${member}`, place),
        );
        if (files.length === 0) return this.end('present', search);
        return await this.#restored(completed ? 'completed' : 'restored', search, candidate, {
          bytes,
          sha256: undefined,
          files,
        });
      } catch (error) {
        const reason = fallbackReason(error);
        if (error instanceof MixedGenerationsError) mixed ??= reason.reason;
        this.#passOver(candidate.destination.name, candidate.name.name, reason);
      }
    }
    if (mixed !== undefined) return this.end('refused', search, mixed);
    // Nothing to hold it against: a folder of someone's own making stays as it is.
    if (search.candidates.length === 0 && !isEmpty(path)) return this.end('present', search);
    return this.#notThere(search);
  }

  /** The newest state that has the part; whether it is a file or a folder is as that state says. */
  async part(part: string, search: CandidateSearch): Promise<RestoreResult> {
    const { target, path } = this.#request;
    for (const candidate of search.candidates) {
      try {
        return await this.#partOf(candidate, part, search);
      } catch (error) {
        if (error instanceof NotInStateError) continue;
        const reason = fallbackReason(error);
        if (error instanceof MixedGenerationsError) return this.end('refused', search, reason.reason);
        this.#passOver(candidate.destination.name, candidate.name.name, reason);
      }
    }
    if (!isEmpty(path)) return this.end('present', search);
    return this.#fellBack.length > 0
      ? this.#notThere(search)
      : this.end('absent', search, `No saved state of ${target} holds ${part}.`);
  }

  async #partOf(candidate: Candidate, part: string, search: CandidateSearch): Promise<RestoreResult> {
    const { target, path } = this.#request;
    try {
      const { bytes, sha256 } = await restorePartFile(candidate, target, part, path, this.#tools);
      return await this.#restored('restored', search, candidate, { bytes, sha256, files: [''] });
    } catch (error) {
      if (!(error instanceof NotInStateError)) throw error;
    }
    const database = (member: string, place: string) => this.#database(`${target}/${member}`, place);
    const folder = await restoreFolderFrom(candidate, target, path, this.#tools, database, part);
    if (folder.files.length === 0) return this.end('present', search);
    const status = folder.completed ? 'completed' : 'restored';
    return this.#restored(status, search, candidate, { ...folder, sha256: undefined });
  }

  /** A database inside a folder: its own, newer states come first. */
  async #database(target: string, path: string): Promise<boolean> {
    const request = { target, path, isDirectory: false, acceptMirror: false };
    return isThere(await restore(this.#destinations, request, this.#tools, this.#reporter));
  }

  async #mirror(search: CandidateSearch): Promise<RestoreResult | undefined> {
    const { target, path } = this.#request;
    const vouched = (sha256: string): boolean =>
      search.candidates.length === 0 || search.candidates.some(({ name }) => sha256.startsWith(name.content));
    for (const destination of byPriority(this.#destinations)) {
      if (!destination.traits.mirror) continue;
      const answer = search.searched.find((searched) => searched.destination === destination.name);
      if (answer?.state === 'unreachable') continue;
      try {
        const found = await restoreMirror(destination, target, path, this.#tools, vouched);
        if (found === undefined) continue;
        const { bytes, sha256, report } = found;
        const candidate = { destination, name: undefined };
        return await this.#restored('restored', search, candidate, { bytes, sha256, files: [''], report });
      } catch (error) {
        this.#passOver(destination.name, 'mirror', fallbackReason(error));
      }
    }
    return undefined;
  }

  #passOver(destination: string, snapshot: string, why: Pick<Fallback, 'reason' | 'unreachable' | 'frozen'>): void {
    const { reason } = why;
    this.#fellBack.push({ destination, snapshot, ...why });
    this.#reporter.emit({
      type: 'restoreFallback',
      destination,
      path: this.#request.target,
      snapshot,
      outcome: 'warning',
      message: `Restoring ${this.#request.target}: ${snapshot} on ${destination} cannot be used (${reason}); trying another copy.`,
    });
  }

  async #restored(
    status: 'restored' | 'completed',
    search: CandidateSearch,
    candidate: { readonly destination: Destination; readonly name: Candidate['name'] | undefined },
    {
      report,
      ...what
    }: Pick<RestoreResult, 'bytes' | 'sha256' | 'files'> & { readonly report?: StudyFileReport | undefined },
  ): Promise<RestoreResult> {
    const { destination, name } = candidate;
    const finished = name?.finished ?? report?.finished;
    const otherBranches = await otherHistories(
      search,
      this.#request.target,
      { destination, branch: name?.branch, name: name?.name, digests: report?.trialDigests },
      new Set(this.#fellBack.map(({ snapshot }) => snapshot)),
      this.#tools.signal,
    );
    const result: RestoreResult = {
      ...this.#base(status, search),
      ...what,
      destination: destination.name,
      snapshot: name?.name ?? 'mirror',
      branch: name?.branch,
      createdAt: name === undefined ? undefined : new Date(name.createdAt).toISOString(),
      finishedTrials: finished,
      otherBranches,
    };
    const trials = finished === undefined || finished === 0 ? '' : `, ${finished} finished trials`;
    const passed = this.#fellBack.length === 0 ? '' : `; passed over ${this.#fellBack.length} that could not be used`;
    const branches =
      otherBranches.length === 0
        ? ''
        : `; other branches exist: ${otherBranches.map(({ branch, snapshot }) => snapshot ?? branch).join(', ')}`;
    this.#reporter.emit({
      type: 'restore',
      destination: destination.name,
      path: this.#request.target,
      bytes: what.bytes,
      sha256: what.sha256,
      durationMs: result.durationMs,
      snapshot: result.snapshot,
      branch: result.branch,
      finishedTrials: finished,
      verified: name === undefined ? 'no' : 'verified',
      outcome: passed === '' && branches === '' ? 'ok' : 'warning',
      message: `Restored ${this.#request.target} from ${destination.name} (${what.bytes} bytes${trials}${passed}${branches}).`,
    });
    return result;
  }

  #notThere(search: CandidateSearch): RestoreResult {
    const frozen = this.#fellBack.filter((fallback) => fallback.frozen === true).map(({ reason }) => reason);
    if (frozen.length > 0) {
      return this.end(
        'frozen',
        search,
        `${this.#request.target} has to be thawed first: ${[...new Set(frozen)].join('; ')}`,
      );
    }
    const found = this.#fellBack.some((fallback) => !fallback.unreachable);
    const unreachable = search.searched.filter((searched) => searched.state === 'unreachable');
    if (found) return this.end('damaged', search, `No backup of ${this.#request.target} could be used.`);
    const cut = this.#fellBack.filter((fallback) => fallback.unreachable);
    if (unreachable.length > 0 || cut.length > 0) {
      // Most begin with the destination's name; each ends with its fix.
      const whys = [
        ...unreachable.map(({ destination, error = '' }) => [destination, error] as const),
        ...cut.map(({ destination, reason }) => [destination, reason] as const),
      ].map(([name, why]) => (why.startsWith(`${name}: `) ? why : `${name}: ${why}`));
      return this.end(
        'unreachable',
        search,
        `No backup of ${this.#request.target} was found, and not all destinations could be asked. ${[...new Set(whys)].join(' ')}`,
      );
    }
    return this.end('absent', search, `There is no backup of ${this.#request.target}.`);
  }

  /** A result without a restored state. */
  end(status: RestoreStatus, search: CandidateSearch, error?: string): RestoreResult {
    const result: RestoreResult = { ...this.#base(status, search), error };
    if (status !== 'absent' && status !== 'present') {
      const message = error ?? `${this.#request.target} was not restored.`;
      // Looked for again, it is as it was.
      this.#reporter.emitOnce(`restore ${message}`, {
        type: 'restoreFailed',
        path: this.#request.target,
        durationMs: result.durationMs,
        outcome: 'failed',
        message,
      });
    }
    return result;
  }

  #base(status: RestoreStatus, search: CandidateSearch): RestoreResult {
    return {
      status,
      path: this.#request.path,
      bytes: 0,
      files: [],
      fellBack: this.#fellBack,
      searched: search.searched,
      otherBranches: [],
      durationMs: performance.now() - this.#startedAt,
    };
  }
}
