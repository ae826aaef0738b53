import { spawn, type ChildProcess } from 'node:child_process';
import { join, resolve } from 'node:path';

import { z } from 'zod';

import { driveMountOf, isInside } from '../../files/drive-path.js';
import { defineDestinationKind } from '../destination-kind.js';
import {
  DestinationError,
  type CallOptions,
  type Destination,
  type DestinationErrorReason,
  type DestinationPolicy,
  type DestinationTraits,
  type Listing,
  type ObjectBody,
  type ObjectChecksum,
  type PutOptions,
  type PutReceipt,
} from '../destination.js';
import { assertSafeKey } from '../object-key.js';
import {
  folderAgent,
  type FolderAgentReply,
  type FolderAgentRequest,
  type FolderAgentSettings,
} from './folder-agent.js';

export interface FolderDestinationOptions {
  readonly name: string;
  readonly path: string;
  /** Relative paths start here, and a folder below it is created with its parents. */
  readonly projectRoot: string;
  /** Prefix, so that several projects share the folder. */
  readonly project?: string | undefined;
  /** Folders that must be mounted before they are used, beyond the known ones of Drive. */
  readonly mounts?: readonly string[] | undefined;
  readonly policy?: DestinationPolicy | undefined;
}

const REASONS: Readonly<Record<string, DestinationErrorReason>> = {
  EACCES: 'denied',
  EPERM: 'denied',
  EROFS: 'denied',
  LINK: 'denied',
  ENOTDIR: 'denied',
  EISDIR: 'denied',
  ENOSPC: 'full',
  EDQUOT: 'full',
  EFBIG: 'full',
  EEXIST: 'exists',
  NOT_MOUNTED: 'unreachable',
  NO_FOLDER: 'unreachable',
  ENOTCONN: 'unreachable',
  ESTALE: 'unreachable',
  EIO: 'unreachable',
  ENODEV: 'unreachable',
  ENXIO: 'unreachable',
  ETIMEDOUT: 'timeout',
  SOURCE_CHANGED: 'sourceChanged',
  LOCAL_FILE: 'localFile',
  READ_BACK: 'damaged',
};
/** What a person can do about it. */
const HINTS: Readonly<Record<string, string>> = {
  EACCES: 'Give this user the right to write there, or name another folder.',
  EPERM: 'Give this user the right to write there, or name another folder.',
  EROFS: 'It can only be read: mount it for writing, or name another folder.',
  ENOTDIR: 'Move that file away, or name another folder.',
  ENOSPC: 'Make room there, or let `keep:` hold fewer states.',
  EDQUOT: 'The quota there is used up: make room, or let `keep:` hold fewer states.',
  NOT_MOUNTED: 'Mount it; nothing is written beside a mount.',
  NO_FOLDER: 'Make it, or put its disk back.',
  ENOTCONN: 'The mount has lost its connection: mount it anew.',
  ESTALE: 'The mount has lost its connection: mount it anew.',
  EIO: 'The disk or mount fails: look at the system log, and name another folder.',
};
/** Trying again within seconds cannot help; the next save tries anyway. */
const PERMANENT_CODES = new Set(['NOT_MOUNTED', 'NO_FOLDER']);

interface Waiting {
  readonly resolve: (reply: FolderAgentReply) => void;
  readonly reject: (error: DestinationError) => void;
}

/**
 * A folder: of a local disk, of a mounted Google Drive, of any other mount. All file work happens in a child process
 * (`folder-agent.ts`), so that a mount that hangs costs that child. Objects are written aside, synced, read back, renamed,
 * and the folder is synced. On a local file system that is `verified`; what a mount took is `handedToMount`.
 */
export class FolderDestination implements Destination {
  readonly type = 'folder';
  readonly name: string;
  readonly location: string;
  readonly localFolder: string;
  readonly policy: DestinationPolicy | undefined;
  readonly #settings: FolderAgentSettings;
  readonly #waiting = new Map<number, Waiting>();
  #agent: ChildProcess | undefined;
  #local: boolean;
  #device: number | undefined;
  #lastId = 0;

  constructor(options: FolderDestinationOptions) {
    const base = resolve(options.projectRoot, options.path);
    if (options.project !== undefined) assertSafeKey(options.project);
    const root = options.project === undefined ? base : join(base, options.project);
    const mountPoint = driveMountOf(root, options.mounts ?? []);
    this.name = options.name;
    this.location = root;
    this.localFolder = root;
    this.policy = options.policy;
    this.#local = mountPoint === undefined;
    this.#settings = {
      root,
      mountPoint,
      createBelow: isInside(root, options.projectRoot) ? resolve(options.projectRoot) : options.project && base,
    };
  }

  get traits(): DestinationTraits {
    return {
      exclusive: 'advisory',
      rename: this.#local ? 'atomic' : 'asMounted',
      checksum: 'readBack',
      confirms: this.#local ? 'verified' : 'handedToMount',
      mirror: true,
      mirrorRefresh: this.#local ? 'withEverySave' : 'withFullSnapshots',
      latencyMs: this.#local ? 1 : 100,
    };
  }

  get localDevice(): number | undefined {
    return this.#device;
  }

  async check(options?: CallOptions): Promise<void> {
    this.#learn(await this.#call({ op: 'check', key: '' }, options));
  }

  async put(key: string, body: ObjectBody, options: PutOptions): Promise<PutReceipt> {
    assertSafeKey(key);
    const source = body instanceof Uint8Array ? { data: body } : { file: body.file, bytes: body.bytes };
    const { sha256, ifAbsent } = options;
    const reply = await this.#call({ op: 'put', key, ...source, sha256, ifAbsent }, options);
    this.#learn(reply);
    return { bytes: reply.bytes ?? 0, confirmation: this.#local ? 'verified' : 'handedToMount' };
  }

  async get(key: string, options?: CallOptions): Promise<Uint8Array | undefined> {
    assertSafeKey(key);
    return (await this.#call({ op: 'get', key }, options)).data;
  }

  async download(key: string, file: string, options?: CallOptions): Promise<ObjectChecksum | undefined> {
    assertSafeKey(key);
    return checksumOf(await this.#call({ op: 'download', key, file }, options));
  }

  async checksum(key: string, options?: CallOptions): Promise<ObjectChecksum | undefined> {
    assertSafeKey(key);
    return checksumOf(await this.#call({ op: 'checksum', key }, options));
  }

  async list(prefix: string, options?: CallOptions): Promise<Listing> {
    if (prefix !== '') assertSafeKey(`${prefix}x`);
    const reply = await this.#call({ op: 'list', key: prefix }, options);
    return { objects: reply.objects ?? [], folders: reply.folders ?? [] };
  }

  async remove(key: string, options?: CallOptions): Promise<void> {
    assertSafeKey(key);
    await this.#call({ op: 'remove', key }, options);
  }

  close(): Promise<void> {
    this.#drop('aborted', `The destination ${this.name} was closed.`);
    return Promise.resolve();
  }

  #learn(reply: FolderAgentReply): void {
    this.#local = reply.local ?? false;
    this.#device = reply.device ?? this.#device;
  }

  #call(request: Omit<FolderAgentRequest, 'id'>, options: CallOptions | undefined): Promise<FolderAgentReply> {
    const signal = options?.signal;
    if (signal?.aborted === true) return Promise.reject(this.#stopped(signal));
    const agent = this.#start();
    const id = ++this.#lastId;
    return new Promise<FolderAgentReply>((resolvePromise, rejectPromise) => {
      const onAbort = (): void => {
        // The call itself cannot be interrupted: leave its process behind; the next call gets a new one.
        this.#waiting.delete(id);
        rejectPromise(this.#stopped(signal));
        this.#drop('unreachable', `${this.name}: another call did not return.`);
      };
      const done = (): void => {
        signal?.removeEventListener('abort', onAbort);
        if (this.#waiting.size === 0) this.#keepAlive(false);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waiting.set(id, {
        resolve: (reply) => {
          done();
          if (reply.error === undefined) resolvePromise(reply);
          else rejectPromise(this.#errorOf(reply.error));
        },
        reject: (error) => {
          done();
          rejectPromise(error);
        },
      });
      this.#keepAlive(true);
      agent.send({ id, ...request }, (error) => {
        if (error !== null) this.#fail(agent, `its helper process cannot be reached: ${error.message}`);
      });
    });
  }

  #stopped(signal: AbortSignal | undefined): DestinationError {
    const reason: unknown = signal?.reason;
    return reason instanceof DestinationError
      ? reason
      : new DestinationError('aborted', `${this.name}: stopped.`, { cause: reason });
  }

  #errorOf(error: { readonly code: string; readonly message: string }): DestinationError {
    const hint = HINTS[error.code];
    return new DestinationError(REASONS[error.code] ?? 'failed', `${this.name}: ${error.message}`, {
      ...(PERMANENT_CODES.has(error.code) ? { permanent: true } : {}),
      ...(hint === undefined ? {} : { hint }),
    });
  }

  #start(): ChildProcess {
    if (this.#agent !== undefined) return this.#agent;
    const agent = spawn(process.execPath, ['-e', `(${folderAgent.toString()})(${JSON.stringify(this.#settings)})`], {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      serialization: 'advanced',
      // Nothing of this process's environment is needed there, secrets least of all.
      env: { PATH: process.env['PATH'] ?? '' },
      windowsHide: true,
    });
    agent.on('message', (message) => {
      const reply = message as FolderAgentReply;
      const waiting = this.#waiting.get(reply.id);
      this.#waiting.delete(reply.id);
      waiting?.resolve(reply);
    });
    agent.once('exit', (code, signal) => {
      this.#fail(agent, `its helper process ended (${signal ?? String(code)}).`);
    });
    agent.on('error', (error) => {
      this.#fail(agent, `its helper process failed: ${error.message}`);
    });
    this.#agent = agent;
    return agent;
  }

  /** A process with an open helper would not end by itself: hold on to it only while an answer is awaited. */
  #keepAlive(busy: boolean): void {
    const agent = this.#agent;
    if (agent === undefined) return;
    if (busy) {
      agent.ref();
      agent.channel?.ref();
    } else {
      agent.unref();
      agent.channel?.unref();
    }
  }

  #fail(agent: ChildProcess, message: string): void {
    if (this.#agent === agent) this.#drop('unreachable', `${this.name}: ${message}`);
  }

  #drop(reason: DestinationErrorReason, message: string): void {
    const agent = this.#agent;
    if (agent === undefined) return;
    this.#keepAlive(false);
    this.#agent = undefined;
    agent.removeAllListeners('message');
    agent.kill('SIGKILL');
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const call of waiting) call.reject(new DestinationError(reason, message));
  }
}

function checksumOf(reply: FolderAgentReply): ObjectChecksum | undefined {
  if (reply.found !== true || reply.sha256 === undefined) return undefined;
  return { bytes: reply.bytes ?? 0, sha256: reply.sha256 };
}

export const folderDestinationKind = defineDestinationKind({
  type: 'folder',
  summary: 'A folder: of this machine, a mounted Google Drive, or any other mount.',
  schema: z.strictObject({
    path: z
      .string()
      .min(1)
      .describe('The folder; relative to the project root. A mount is used only while it is mounted.'),
  }),
  create: (options, context) => new FolderDestination({ ...context, path: options.path }),
});
