import { randomBytes } from 'node:crypto';

import { DriveFault, type Account, type DriveState, type Item, type NewItem } from './drive-state.js';

const UNIT = 262_144;

interface Session {
  readonly account: Account;
  readonly allDrives: boolean;
  readonly metadata: NewItem;
  /** Replaced; undefined: a new file. */
  readonly item: Item | undefined;
  readonly total: number | undefined;
  readonly fields: string | undefined;
  parts: Buffer[];
  length: number;
  done: Item | undefined;
}

export type UploadReply =
  | { readonly status: 308; readonly range: string | undefined }
  | { readonly status: 200; readonly item: Item; readonly fields: string | undefined };

/** Resumable uploads as a state machine: begun, so many bytes, done, or gone. */
export class UploadDesk {
  readonly #state: DriveState;
  readonly #sessions = new Map<string, Session>();

  constructor(state: DriveState) {
    this.#state = state;
  }

  get open(): number {
    return [...this.#sessions.values()].filter(({ done }) => done === undefined).length;
  }

  begin(session: Omit<Session, 'parts' | 'length' | 'done'>): string {
    // What cannot end well is refused at once, as Drive does.
    const { metadata } = session;
    if (metadata.id !== undefined && this.#state.items.has(metadata.id))
      throw new DriveFault(409, 'fileIdInUse', 'A file already exists with the provided ID.');
    const isOwn = (session.item?.driveId ?? this.#state.driveOf(metadata.parents?.[0])) === undefined;
    if (isOwn) this.#state.makeRoom(session.account, session.total ?? 0);
    const id = `AbPe${randomBytes(24).toString('base64url')}`;
    this.#sessions.set(id, { ...session, parts: [], length: 0, done: undefined });
    return id;
  }

  /** All sessions end, as they do after a week. */
  expire(): void {
    this.#sessions.clear();
  }

  /** One PUT to a session. `keep`: of a part, only so many bytes are kept. @throws DriveFault */
  put(id: string, contentRange: string | undefined, body: Buffer, keep = Infinity, damage = false): UploadReply {
    const session = this.#session(id);
    const query = /^bytes \*\/(\d+|\*)$/.exec(contentRange ?? '');
    if (query !== null) {
      if (body.length > 0) throw new DriveFault(400, 'badRequest', 'A status query has no body.');
      if (query[1] !== '*' && session.total !== undefined && Number(query[1]) !== session.total)
        throw new DriveFault(400, 'badRequest', 'Invalid Content-Range.');
      return this.#stateOf(session);
    }
    if (session.done !== undefined) return this.#stateOf(session);
    const range = contentRange === undefined ? undefined : /^bytes (\d+)-(\d+)\/(\d+)$/.exec(contentRange);
    if (range === null) throw new DriveFault(400, 'badRequest', `Invalid Content-Range: ${contentRange ?? ''}`);
    const [first, last, total] =
      range === undefined
        ? [0, body.length - 1, body.length]
        : (range.slice(1).map(Number) as [number, number, number]);
    if (session.total !== undefined && total !== session.total)
      throw new DriveFault(400, 'badRequest', 'The size has changed.');
    if (last - first + 1 !== body.length)
      throw new DriveFault(400, 'badRequest', 'The body is not what Content-Range says.');
    if (last >= total) throw new DriveFault(400, 'badRequest', 'Content-Range ends behind the end.');
    if (first !== session.length)
      throw new DriveFault(400, 'badRequest', `Expected byte ${session.length}, got ${first}.`);
    // From an odd place a part may begin (the server kept less than was sent), but it ends at a whole unit or at the end.
    if (last + 1 < total && (last + 1) % UNIT !== 0)
      throw new DriveFault(400, 'badRequest', 'Parts must be multiples of 262144 bytes.');
    const kept = body.subarray(0, Math.min(body.length, keep));
    session.parts.push(Buffer.from(kept));
    session.length += kept.length;
    if (session.length === total) this.#finish(session, damage);
    return this.#stateOf(session);
  }

  /** A part whose connection was cut: whole units of what came are kept. */
  keepPartial(id: string, contentRange: string | undefined, body: Buffer): void {
    const session = this.#sessions.get(id);
    const first = /^bytes (\d+)-/.exec(contentRange ?? '')?.[1];
    if (session?.length !== Number(first)) return;
    const kept = body.subarray(0, Math.floor(body.length / UNIT) * UNIT);
    session.parts.push(Buffer.from(kept));
    session.length += kept.length;
  }

  #finish(session: Session, damage: boolean): void {
    const content = Buffer.concat(session.parts);
    if (damage && content.length > 0) content[content.length >> 1] = (content[content.length >> 1] ?? 0) ^ 1;
    const { account, metadata, item, allDrives } = session;
    if (item === undefined) session.done = this.#state.create(account, { ...metadata, content }, allDrives);
    else {
      this.#state.replaceContent(account, item, content);
      session.done = item;
    }
    session.parts = [];
  }

  #stateOf(session: Session): UploadReply {
    if (session.done !== undefined) return { status: 200, item: session.done, fields: session.fields };
    return { status: 308, range: session.length === 0 ? undefined : `bytes=0-${session.length - 1}` };
  }

  #session(id: string): Session {
    const session = this.#sessions.get(id);
    if (session === undefined) throw new DriveFault(404, 'notFound', 'Upload session not found.');
    return session;
  }
}

/** The two parts of a multipart/related body. @throws DriveFault */
export function readMultipart(
  contentType: string,
  body: Buffer,
): { metadata: NewItem; mimeType: string; content: Buffer } {
  const boundary = /^multipart\/related;\s*boundary="?([^";]+)"?$/i.exec(contentType)?.[1];
  if (boundary === undefined) throw new DriveFault(400, 'badContent', `Unsupported content with type: ${contentType}`);
  const parts: { headers: string; content: Buffer }[] = [];
  const line = Buffer.from(`--${boundary}`);
  let at = body.indexOf(line);
  // Lines end with CR LF; Google's Python client writes LF alone, and Drive takes that too.
  while (at >= 0) {
    const start = at + line.length;
    if (body.subarray(start, start + 2).toString('latin1') === '--') break;
    const newline = body[start] === 0x0d ? '\r\n' : '\n';
    const next = body.indexOf(Buffer.from(`${newline}--${boundary}`), start);
    const head = body.indexOf(newline + newline, start);
    if (next < 0 || head < 0 || head > next) throw new DriveFault(400, 'badContent', 'Malformed multipart body.');
    const content = body.subarray(head + 2 * newline.length, next);
    parts.push({ headers: body.subarray(start, head).toString('latin1'), content });
    at = next + newline.length;
  }
  const [first, second] = parts;
  if (
    parts.length !== 2 ||
    first === undefined ||
    second === undefined ||
    !/content-type:\s*application\/json/i.test(first.headers)
  )
    throw new DriveFault(400, 'badContent', 'Multipart: metadata as JSON, then the content.');
  const metadata = JSON.parse(first.content.toString('utf8')) as NewItem;
  const mimeType = /content-type:\s*([^\r\n;]+)/i.exec(second.headers)?.[1] ?? 'application/octet-stream';
  return { metadata, mimeType, content: Buffer.from(second.content) };
}
