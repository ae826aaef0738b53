import { closeSync, openSync, readSync } from 'node:fs';
import { Worker } from 'node:worker_threads';

import { builtEntry } from '../../core/built-entry.js';
import { messageOf, StorageError } from '../../core/errors.js';
import type { InspectOptions, SnapshotSource, StudyFileReport } from '../../core/snapshot-source.js';
import { isOpenHere } from './engines/open-files.js';

/** From the main thread to the snapshot thread. */
export type SnapshotRequest =
  | { readonly id: number; readonly kind: 'snapshot'; readonly path: string; readonly target: string }
  | { readonly id: number; readonly kind: 'inspect'; readonly path: string; readonly options: InspectOptions };

/** The answer. */
export type SnapshotResponse =
  | { readonly id: number }
  | { readonly id: number; readonly report: StudyFileReport }
  | { readonly id: number; readonly error: string };

/** Consistent copies of SQLite files, made and checked in a thread of their own, which ends when nothing is to do. */
export class SqliteSnapshotSource implements SnapshotSource {
  readonly #pending = new Map<number, (response: SnapshotResponse) => void>();
  #worker: Worker | undefined;
  #lastId = 0;

  isDatabase(path: string): Promise<boolean> {
    if (isOpenHere(path)) return Promise.resolve(true);
    const head = Buffer.alloc(16);
    try {
      const file = openSync(path, 'r');
      try {
        readSync(file, head, 0, 16, 0);
      } finally {
        closeSync(file);
      }
    } catch {
      return Promise.resolve(false);
    }
    return Promise.resolve(head.toString('latin1') === 'SQLite format 3\0');
  }

  /** @throws StorageError where the file cannot be read as a database or the target cannot be written */
  async snapshot(path: string, target: string): Promise<void> {
    const response = await this.#ask({ kind: 'snapshot', path, target });
    if ('error' in response) {
      throw new StorageError(`No snapshot of ${path}: ${response.error}`, { code: 'SNAPSHOT', permanent: false });
    }
  }

  async inspect(path: string, options: InspectOptions = {}): Promise<StudyFileReport> {
    const response = await this.#ask({ kind: 'inspect', path, options });
    if ('report' in response) return response.report;
    const problem = 'error' in response ? response.error : 'no report';
    return { intact: false, problem, finished: 0, trialDigests: new Map() };
  }

  #ask(
    request:
      { kind: 'snapshot'; path: string; target: string } | { kind: 'inspect'; path: string; options: InspectOptions },
  ): Promise<SnapshotResponse> {
    const id = ++this.#lastId;
    return new Promise((resolve) => {
      this.#pending.set(id, resolve);
      try {
        this.#thread().postMessage({ id, ...request } satisfies SnapshotRequest);
      } catch (error) {
        this.#settle({ id, error: messageOf(error) });
      }
    });
  }

  #thread(): Worker {
    if (this.#worker !== undefined) {
      this.#worker.ref();
      return this.#worker;
    }
    const worker = new Worker(builtEntry('./sqlite-snapshot-thread.js', import.meta.url));
    worker.on('message', (response: SnapshotResponse) => {
      this.#settle(response);
    });
    const fail = (error: string): void => {
      // After an error comes the exit as well: by then the requests may be another thread's.
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      for (const id of [...this.#pending.keys()]) this.#settle({ id, error });
    };
    worker.on('error', (error) => {
      fail(messageOf(error));
    });
    worker.on('exit', () => {
      fail('the snapshot thread ended');
    });
    this.#worker = worker;
    return worker;
  }

  #settle(response: SnapshotResponse): void {
    const resolve = this.#pending.get(response.id);
    this.#pending.delete(response.id);
    // An idle thread must not keep the process alive.
    if (this.#pending.size === 0) this.#worker?.unref();
    resolve?.(response);
  }
}
