import { createHash } from 'node:crypto';

import type { CompletedPart, PutObjectCommandInput } from '@aws-sdk/client-s3';

import { DestinationError, type ObjectBody } from '../destination.js';
import { BodySource, sizeOf } from '../transfer/source-bytes.js';
import { spareRooms } from '../transfer/spare-rooms.js';
import type { S3Connection, SendOptions } from './client.js';

/** What every object of a destination is sent with. */
export type ObjectSettings = Pick<PutObjectCommandInput, 'StorageClass' | 'Tagging' | 'IfNoneMatch'>;

export interface ObjectPlace {
  readonly Bucket: string;
  readonly Key: string;
}

/** Parts in flight: so much of a large object is in memory. */
const PARALLEL_PARTS = 2;
const MAX_PARTS = 10_000;
/** Read and hashed in one go. */
const BLOCK_BYTES = 1 << 18;
const MIB = 1 << 20;

/** What is kept with an object of several parts, of which the service computes no checksum as a whole. */
export const WHOLE_SHA256 = 'sha256';
export const PARTS_SHA256 = 'sha256-of-parts';

export function md5Of(bytes: Uint8Array): Buffer {
  return createHash('md5').update(bytes).digest();
}

/**
 * Whether an answer's entity tag or checksum, which the service computed from what it received, is that of `md5`. The tag is no MD5
 * where the service encrypts by a key of its own (KMS): such a service computes the SHA-256 too.
 */
export function isConfirmed(
  answer: {
    readonly ETag?: string | undefined;
    readonly ChecksumSHA256?: string | undefined;
    readonly ServerSideEncryption?: string | undefined;
  },
  md5: string,
  sha256Base64: string,
): boolean {
  if (answer.ETag?.replaceAll('"', '') === md5) return true;
  return (answer.ServerSideEncryption ?? '').startsWith('aws:kms') && answer.ChecksumSHA256 === sha256Base64;
}

/**
 * Sends a large object in parts. Returns whether every part and the whole were confirmed by what the service computed. What was sent of
 * an object that does not come to its end is given up again.
 */
export async function uploadParts(
  { sdk, client }: S3Connection,
  place: ObjectPlace,
  body: ObjectBody,
  sha256: string,
  settings: ObjectSettings,
  partBytes: number,
  send: SendOptions,
): Promise<boolean> {
  const total = sizeOf(body);
  const size = Math.max(partBytes, Math.ceil(total / MAX_PARTS / MIB) * MIB);
  const source = new BodySource(body);
  const begun: { id?: string | undefined } = {};
  try {
    const digests = await partDigests(source, total, size, sha256, body);
    const { IfNoneMatch, ...others } = settings;
    const created = await client.send(
      new sdk.CreateMultipartUploadCommand({
        ...place,
        ...others,
        ChecksumAlgorithm: 'SHA256',
        Metadata: { [WHOLE_SHA256]: sha256, [PARTS_SHA256]: compositeOf(digests) },
      }),
      send,
    );
    begun.id = created.UploadId;
    const upload = { ...place, UploadId: begun.id };
    const parts: CompletedPart[] = [];
    const unconfirmed = new Set<number>();
    const sendPart = async (index: number, room: Buffer | undefined): Promise<void> => {
      const { md5, sha256: partSha256 } = digests[index] ?? NOTHING;
      const offset = index * size;
      const data = await source.read(offset, Math.min(size, total - offset), room);
      if (!md5Of(data).equals(md5)) throw changed(body);
      const numbered = { PartNumber: index + 1, ChecksumSHA256: partSha256.toString('base64') };
      const answer = await client.send(
        new sdk.UploadPartCommand({ ...upload, ...numbered, Body: data, ContentMD5: md5.toString('base64') }),
        send,
      );
      if (!isConfirmed(answer, md5.toString('hex'), numbered.ChecksumSHA256)) unconfirmed.add(index);
      parts[index] = { ...numbered, ETag: answer.ETag };
    };
    let next = 0;
    const failed = new AbortController();
    const worker = async (): Promise<void> => {
      const room = body instanceof Uint8Array ? undefined : spareRooms.take(Math.min(size, total));
      while (next < digests.length && !failed.signal.aborted) {
        try {
          await sendPart(next++, room);
        } catch (error) {
          failed.abort();
          throw error;
        }
      }
      // After an error, what is left of a request may read it still.
      if (room !== undefined) spareRooms.giveBack(room);
    };
    const workers = await Promise.allSettled(Array.from({ length: PARALLEL_PARTS }, worker));
    for (const result of workers) if (result.status === 'rejected') throw result.reason;
    const done = await client.send(
      new sdk.CompleteMultipartUploadCommand({
        ...upload,
        MultipartUpload: { Parts: parts },
        ...(IfNoneMatch === undefined ? {} : { IfNoneMatch }),
      }),
      send,
    );
    begun.id = undefined;
    return unconfirmed.size === 0 && wholeTagFits(done.ETag, digests);
  } catch (error) {
    if (begun.id !== undefined) {
      const abort = new sdk.AbortMultipartUploadCommand({ ...place, UploadId: begun.id });
      // Where even that fails, a later `check` gives it up.
      await client.send(abort, { abortSignal: AbortSignal.timeout(5_000) }).catch(() => undefined);
    }
    throw error;
  } finally {
    await source.close();
  }
}

interface PartDigest {
  readonly md5: Buffer;
  readonly sha256: Buffer;
}

const NOTHING: PartDigest = { md5: Buffer.of(), sha256: Buffer.of() };

/** What S3 computes of an object in parts: the SHA-256 over those of its parts. */
function compositeOf(digests: readonly PartDigest[]): string {
  const hash = createHash('sha256');
  for (const { sha256 } of digests) hash.update(sha256);
  return hash.digest('base64');
}

/** An entity tag of another kind says nothing; the parts' own have confirmed them. */
function wholeTagFits(tag: string | undefined, digests: readonly PartDigest[]): boolean {
  const [md5 = '', count] = (tag ?? '').replaceAll('"', '').split('-');
  if (count === undefined || !/^[0-9a-f]{32}$/.test(md5)) return true;
  return (
    md5 === md5Of(Buffer.concat(digests.map((part) => part.md5))).toString('hex') && Number(count) === digests.length
  );
}

async function partDigests(
  source: BodySource,
  total: number,
  size: number,
  sha256: string,
  body: ObjectBody,
): Promise<PartDigest[]> {
  const whole = createHash('sha256');
  const digests: PartDigest[] = [];
  const room = body instanceof Uint8Array ? undefined : Buffer.allocUnsafe(BLOCK_BYTES);
  for (let start = 0; start < total; start += size) {
    const end = Math.min(start + size, total);
    const md5 = createHash('md5');
    const part = createHash('sha256');
    for (let offset = start; offset < end; offset += BLOCK_BYTES) {
      const data = await source.read(offset, Math.min(BLOCK_BYTES, end - offset), room);
      for (const hash of [whole, md5, part]) hash.update(data);
    }
    digests.push({ md5: md5.digest(), sha256: part.digest() });
  }
  if (whole.digest('hex') !== sha256) throw changed(body);
  return digests;
}

function changed(body: ObjectBody): DestinationError {
  return body instanceof Uint8Array
    ? new DestinationError('damaged', 'The bytes to be sent are not what their checksum says.')
    : new DestinationError('sourceChanged', `${body.file} changed while it was read.`);
}
