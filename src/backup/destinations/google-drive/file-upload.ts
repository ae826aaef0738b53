import { randomUUID } from 'node:crypto';

import type { drive_v3 } from '@googleapis/drive';

import { FILE_FIELDS, toDriveFile, type DriveClient, type DriveFile } from './drive-client.js';
import { fileIn } from './reply.js';
import { DriveRequestError } from './request-error.js';
import { uploadResumable } from './resumable-upload.js';
import type { UploadSessions } from './upload-sessions.js';
import type { UploadSource } from './upload-source.js';

/** Up to this size a file goes in one request, with its metadata. */
export const MULTIPART_BYTES = 5_000_000;
/** Content of a file: plain bytes, whatever its name may suggest, so that Drive converts nothing. */
const CONTENT_TYPE = 'application/octet-stream';

export interface FileUpload {
  readonly what: string;
  readonly source: UploadSource;
  readonly sha256: string;
  /** A new file of this name in this folder, or the content of one that is there. */
  readonly to: { readonly id: string; readonly name: string; readonly folder: string } | { readonly replace: string };
  readonly partBytes: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * Sends a file: small ones in one request, larger ones in parts. A new file has an identifier chosen before, so that a repetition
 * after a lost reply makes no second one: then it is looked at, and completed where it differs.
 * @returns the file as Drive describes it @throws DestinationError
 */
export async function uploadFile(
  client: DriveClient,
  sessions: UploadSessions,
  upload: FileUpload,
): Promise<DriveFile> {
  const { to, what, signal } = upload;
  try {
    const file = toDriveFile(await send(client, sessions, upload));
    // Drive may leave checksums out of a reply and have them a moment later.
    return file.sha256 === undefined && file.md5 === undefined ? await client.file(what, file.id, signal) : file;
  } catch (error) {
    const isTaken = error instanceof DriveRequestError && error.status === 409 && 'id' in to;
    if (!isTaken) throw error;
    const there = await taken(client, what, to.id, signal);
    if (there.sha256 === upload.sha256 || there.trashed) return there;
    return uploadFile(client, sessions, { ...upload, to: { replace: to.id } });
  }
}

/** The file that has the identifier already. */
async function taken(
  client: DriveClient,
  what: string,
  id: string,
  signal: AbortSignal | undefined,
): Promise<DriveFile> {
  try {
    return await client.file(what, id, signal);
  } catch (error) {
    if (!(error instanceof DriveRequestError) || error.status !== 404) throw error;
    throw new DriveRequestError('unreachable', `${client.name}: ${what}: it is there already, and cannot be seen yet.`);
  }
}

function send(client: DriveClient, sessions: UploadSessions, upload: FileUpload): Promise<drive_v3.Schema$File> {
  const { to, what, source, sha256, partBytes, signal } = upload;
  const isNew = 'id' in to;
  const method = isNew ? 'POST' : 'PATCH';
  const fileId = isNew ? to.id : to.replace;
  const metadata = isNew
    ? { id: to.id, name: to.name, parents: [to.folder], mimeType: CONTENT_TYPE }
    : { mimeType: CONTENT_TYPE };
  const url = (type: string): string => {
    const query = new URLSearchParams({ uploadType: type, supportsAllDrives: 'true', fields: FILE_FIELDS });
    return `${client.rootUrl}upload/drive/v3/files${isNew ? '' : `/${encodeURIComponent(fileId)}`}?${query.toString()}`;
  };
  if (source.bytes <= MULTIPART_BYTES) {
    return sendAtOnce(client, { what, method, url: url('multipart'), metadata, fileId, source, signal });
  }
  const place = isNew ? [client.rootUrl, to.folder, to.name] : [client.rootUrl, fileId];
  const target = { place, sha256, bytes: source.bytes };
  return uploadResumable(client, sessions, {
    what,
    source,
    method,
    url: url('resumable'),
    metadata,
    fileId,
    target,
    partBytes,
    signal,
  });
}

async function sendAtOnce(
  client: DriveClient,
  request: {
    readonly what: string;
    readonly method: 'POST' | 'PATCH';
    readonly url: string;
    readonly metadata: drive_v3.Schema$File;
    readonly fileId: string;
    readonly source: UploadSource;
    readonly signal: AbortSignal | undefined;
  },
): Promise<drive_v3.Schema$File> {
  const { what, method, url, metadata, fileId, source, signal } = request;
  const boundary = `resweep-${randomUUID()}`;
  const body = Buffer.concat([
    Buffer.from(
      `--${boundary}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n${JSON.stringify(metadata)}\r\n`,
    ),
    Buffer.from(`--${boundary}\r\nContent-Type: ${CONTENT_TYPE}\r\n\r\n`),
    await source.read(0, source.bytes),
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ]);
  const headers = { 'content-type': `multipart/related; boundary=${boundary}` };
  const answer = await client.send(what, { method, url, headers, body }, signal);
  if (answer.status !== 200 && answer.status !== 201) throw client.refuse(what, answer);
  return fileIn(answer, fileId);
}
