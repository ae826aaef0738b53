import { setTimeout as delay } from 'node:timers/promises';

import type { drive_v3 } from '@googleapis/drive';

import { DestinationError } from '../destination.js';
import { spareRooms } from '../transfer/spare-rooms.js';
import type { DriveClient } from './drive-client.js';
import { fileIn } from './reply.js';
import { DriveRequestError, type Answer } from './request-error.js';
import type { SessionTarget, UploadSession, UploadSessions } from './upload-sessions.js';
import type { UploadSource } from './upload-source.js';

/** Every part but the last is a multiple of this. */
export const PART_UNIT = 262_144;
/** Interruptions in a row without a byte more at the server that one call stands; the caller's retries come on top. */
const INTERRUPTIONS = 3;
const PAUSE_MS = 200;

export interface ResumableUpload {
  /** Short, for messages. */
  readonly what: string;
  readonly source: UploadSource;
  /** How a session is begun. */
  readonly method: 'POST' | 'PATCH';
  readonly url: string;
  readonly metadata: drive_v3.Schema$File;
  /** Of the file that is made or replaced. */
  readonly fileId: string;
  readonly target: SessionTarget;
  readonly partBytes: number;
  readonly signal: AbortSignal | undefined;
}

type Step = { readonly next: number } | { readonly file: drive_v3.Schema$File } | 'gone';

/**
 * Uploads in parts, by Drive's resumable protocol. How much has arrived is what the server says (`Range`), never what was sent: it may
 * have kept more or less. After a cut it is asked, and the upload goes on there; a session that has ended is begun anew,
 * once. The session is remembered on disk, so another process can go on with it.
 * @returns the file as Drive describes it
 * @throws DestinationError; the session stays for the next try where that can help
 */
export async function uploadResumable(
  client: DriveClient,
  sessions: UploadSessions,
  upload: ResumableUpload,
): Promise<drive_v3.Schema$File> {
  const { target } = upload;
  let session = sessions.load(target);
  let begun = 0;
  for (;;) {
    const isNew = session === undefined;
    if (session === undefined) {
      begun++;
      session = { uri: await begin(client, upload), fileId: upload.fileId };
      sessions.save(target, session);
    }
    let file: drive_v3.Schema$File | undefined;
    try {
      file = await new Transfer(client, session, upload).run(isNew);
    } catch (error) {
      // What was refused for good is not gone on with; what was stopped is.
      if (error instanceof DestinationError && error.permanent && error.reason !== 'aborted') sessions.remove(target);
      throw error;
    }
    sessions.remove(target);
    if (file !== undefined) return file;
    session = undefined;
    if (begun >= 2)
      throw new DriveRequestError('unreachable', `${client.name}: ${upload.what}: the upload session ended twice.`);
  }
}

async function begin(client: DriveClient, upload: ResumableUpload): Promise<string> {
  const { what, method, url, metadata, source, signal } = upload;
  const answer = await client.send(
    what,
    {
      method,
      url,
      headers: {
        'content-type': 'application/json; charset=UTF-8',
        'x-upload-content-type': 'application/octet-stream',
        'x-upload-content-length': String(source.bytes),
      },
      body: JSON.stringify(metadata),
    },
    signal,
  );
  const location = answer.headers.get('location');
  if (answer.status !== 200 || location === null) throw client.refuse(what, answer);
  return location;
}

/** One session, from where the server is to its end. */
class Transfer {
  readonly #client: DriveClient;
  readonly #session: UploadSession;
  readonly #upload: ResumableUpload;

  constructor(client: DriveClient, session: UploadSession, upload: ResumableUpload) {
    this.#client = client;
    this.#session = session;
    this.#upload = upload;
  }

  /** The file; undefined where the session has ended. */
  async run(isNew: boolean): Promise<drive_v3.Schema$File | undefined> {
    let step: Step = isNew ? { next: 0 } : await this.#ask();
    let interruptions = 0;
    for (;;) {
      if (step === 'gone') return undefined;
      if ('file' in step) return step.file;
      const from = step.next;
      try {
        step = await this.#sendPart(from);
      } catch (error) {
        if (!isInterruption(error) || ++interruptions > INTERRUPTIONS) throw error;
        await pause(PAUSE_MS * interruptions, this.#upload.signal);
        step = await this.#ask();
      }
      if (typeof step === 'object' && 'next' in step) {
        if (step.next > from) interruptions = 0;
        // Nothing kept, without an error: that is an interruption too, or this would never end.
        else if (++interruptions > INTERRUPTIONS) {
          throw new DriveRequestError(
            'unreachable',
            `${this.#client.name}: ${this.#upload.what}: Drive keeps nothing of it.`,
          );
        }
      }
    }
  }

  async #sendPart(from: number): Promise<Step> {
    const { source, partBytes, what, signal } = this.#upload;
    // From an odd place (the server kept part of a part) up to the next whole unit.
    const end = Math.min(source.bytes, Math.floor((from + partBytes) / PART_UNIT) * PART_UNIT);
    const room = source.isInMemory ? undefined : spareRooms.take(partBytes);
    const body = await source.read(from, end - from, room);
    const range = `bytes ${from}-${end - 1}/${source.bytes}`;
    const answer = await this.#client.send(what, this.#put({ 'content-range': range }, body), signal);
    // After an error, what is left of a request may read it still.
    if (room !== undefined) spareRooms.giveBack(room);
    return this.#read(answer);
  }

  /** How much has arrived. */
  async #ask(): Promise<Step> {
    const { source, what, signal } = this.#upload;
    const range = `bytes */${source.bytes}`;
    return this.#read(await this.#client.send(what, this.#put({ 'content-range': range }, new Uint8Array()), signal));
  }

  #put(headers: Readonly<Record<string, string>>, body: Uint8Array) {
    return { method: 'PUT' as const, url: this.#session.uri, headers, body };
  }

  #read(answer: Answer): Step {
    const { status, headers } = answer;
    const { source, what } = this.#upload;
    if (status === 200 || status === 201) return { file: fileIn(answer, this.#session.fileId) };
    if (status === 404 || status === 410) return 'gone';
    if (status !== 308) throw this.#client.refuse(what, answer);
    const range = headers.get('range');
    if (range === null) return { next: 0 };
    const last = /^bytes=0-(\d+)$/.exec(range)?.[1];
    // Not what was announced, or all of it and still no file: nothing comes of such a session.
    return last === undefined || Number(last) + 1 >= source.bytes ? 'gone' : { next: Number(last) + 1 };
  }
}

/** No answer, or a server in trouble: it may have kept the part, or some of it. */
function isInterruption(error: unknown): boolean {
  if (!(error instanceof DestinationError)) return false;
  const status = error instanceof DriveRequestError ? error.status : undefined;
  return error.reason === 'unreachable' && (status === undefined || status >= 500);
}

async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await delay(milliseconds, undefined, signal === undefined ? {} : { signal });
  } catch {
    // Stopped: the next request says so.
  }
}
