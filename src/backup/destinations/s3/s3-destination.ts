import type { Readable } from 'node:stream';

import type { GetObjectCommandOutput, HeadObjectCommandOutput } from '@aws-sdk/client-s3';
import { z } from 'zod';

import { UsageError } from '../../../core/errors.js';
import { defineDestinationKind } from '../destination-kind.js';
import {
  DestinationError,
  FROZEN_CLASSES,
  type CallOptions,
  type Destination,
  type DestinationPolicy,
  type DestinationTraits,
  type Listing,
  type ObjectBody,
  type ObjectChecksum,
  type PutOptions,
  type PutReceipt,
  type StoredObject,
} from '../destination.js';
import { assertSafeKey, STORE } from '../object-key.js';
import { stopped } from '../transfer/network-errors.js';
import { received, receivedChecksum, receivedFile } from '../transfer/received-file.js';
import { holdsCredentials } from '../transfer/server-url.js';
import { sizeOf, wholeBody } from '../transfer/source-bytes.js';
import { connectS3, type S3ClientOptions, type S3Connection, type SendOptions } from './client.js';
import { isNotThere, s3Error } from './errors.js';
import {
  isConfirmed,
  md5Of,
  PARTS_SHA256,
  uploadParts,
  WHOLE_SHA256,
  type ObjectPlace,
  type ObjectSettings,
} from './parts-upload.js';
import { abortAbandonedUploads, honoursConditions } from './probe.js';

export interface S3DestinationOptions extends S3ClientOptions {
  readonly name: string;
  readonly bucket: string;
  readonly prefix?: string | undefined;
  readonly project?: string | undefined;
  /** Class of what is sent. */
  readonly storageClass?: string | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
  readonly policy?: DestinationPolicy | undefined;
  /** Larger objects are sent in parts. @default 16 MiB */
  readonly singleBytes?: number | undefined;
  /** @default 8 MiB */
  readonly partBytes?: number | undefined;
  /** Uploads that were begun and not ended within this time are given up. @default 1 day */
  readonly abandonedAfterMs?: number | undefined;
}

const MIB = 1 << 20;
const DAY_MS = 86_400_000;
const STANDARD = 'STANDARD';

/** Amazon S3, and whatever speaks its protocol. */
export class S3Destination implements Destination {
  readonly name: string;
  readonly type = 's3';
  readonly location: string;
  readonly policy: DestinationPolicy | undefined;
  readonly #options: S3DestinationOptions;
  readonly #base: string;
  #connection: Promise<S3Connection> | undefined;
  /** Whether a conditional write has one winner here; undefined before that was tried. */
  #conditions: boolean | undefined;
  #cleaned = false;

  constructor(options: S3DestinationOptions) {
    const segments = [options.prefix, options.project].flatMap((part) => part?.split('/') ?? []);
    const base = segments.filter((segment) => segment !== '').join('/');
    if (base !== '') assertSafeKey(base);
    this.name = options.name;
    this.policy = options.policy;
    this.#options = options;
    this.#base = base === '' ? '' : `${base}/`;
    const { endpoint } = options;
    const host = endpoint === undefined ? '' : ` at ${new URL(endpoint).host}`;
    this.location = `s3://${options.bucket}/${this.#base}${host}`;
  }

  get traits(): DestinationTraits {
    return {
      exclusive: this.#conditions === true ? 'strict' : 'advisory',
      rename: 'atomic',
      checksum: 'byDestination',
      confirms: 'verified',
      mirror: true,
      mirrorRefresh: 'withFullSnapshots',
      latencyMs: 100,
    };
  }

  async check(options: CallOptions = {}): Promise<void> {
    await this.#call('check', options, async ({ sdk, client }, send) => {
      await client.send(new sdk.ListObjectsV2Command({ ...this.#bucket, Prefix: this.#base, MaxKeys: 1 }), send);
    });
    await this.#learn(options);
    if (this.#cleaned) return;
    this.#cleaned = true;
    const { abandonedAfterMs = DAY_MS, bucket } = this.#options;
    await this.#call('check', options, (connection, send) =>
      abortAbandonedUploads(connection, bucket, this.#base, abandonedAfterMs, send),
    );
  }

  async put(key: string, body: ObjectBody, options: PutOptions): Promise<PutReceipt> {
    const place = this.#place(key);
    const bytes = sizeOf(body);
    const { sha256, ifAbsent = false } = options;
    const isConditional = ifAbsent && (await this.#learn(options));
    if (ifAbsent && !isConditional && (await this.#head(place, options)) !== undefined) throw this.#exists(key);
    const settings: ObjectSettings = { ...this.#settings(), ...(isConditional ? { IfNoneMatch: '*' } : {}) };
    const { singleBytes = 16 * MIB, partBytes = 8 * MIB } = this.#options;
    const confirmed = await this.#call(`put ${key}`, options, async (connection, send) => {
      if (bytes > singleBytes) {
        return uploadParts(connection, place, body, sha256, settings, partBytes, send);
      }
      const data = await wholeBody(`${this.name}: ${key}`, body, sha256);
      const { sdk, client } = connection;
      const md5 = md5Of(data);
      const sum = { ContentMD5: md5.toString('base64'), ChecksumSHA256: base64(sha256) };
      const answer = await client.send(new sdk.PutObjectCommand({ ...place, ...settings, ...sum, Body: data }), send);
      return isConfirmed(answer, md5.toString('hex'), sum.ChecksumSHA256);
    });
    // Without conditions another may have written in the same moment: who is read back has won.
    if (!confirmed || (ifAbsent && !isConditional)) await this.#confirm(key, sha256, ifAbsent, options);
    return { bytes, confirmation: 'verified' };
  }

  async get(key: string, options: CallOptions = {}): Promise<Uint8Array | undefined> {
    const place = this.#place(key);
    return this.#read(`get ${key}`, place, options, (body, answer) =>
      received(body, answer.ContentLength, options.signal),
    );
  }

  async download(key: string, file: string, options: CallOptions = {}): Promise<ObjectChecksum | undefined> {
    const place = this.#place(key);
    return this.#read(`download ${key}`, place, options, (stream, { ContentLength: expected }) =>
      receivedFile(
        async function* () {
          yield await Promise.resolve({ stream, expected });
        },
        file,
        options.signal,
      ),
    );
  }

  async checksum(key: string, options: CallOptions = {}): Promise<ObjectChecksum | undefined> {
    const place = this.#place(key);
    const head = await this.#head(place, options);
    if (head === undefined) return undefined;
    const known = computedBy(head);
    if (known !== undefined) return { bytes: head.ContentLength ?? 0, sha256: known };
    return this.#readChecksum(key, place, options);
  }

  async list(prefix: string, options: CallOptions = {}): Promise<Listing> {
    if (prefix !== '') assertSafeKey(`${prefix}x`);
    const Prefix = this.#base + prefix;
    const objects: StoredObject[] = [];
    const folders: string[] = [];
    await this.#call(`list ${prefix}`, options, async ({ sdk, client }, send) => {
      let ContinuationToken: string | undefined;
      do {
        const page = await client.send(
          new sdk.ListObjectsV2Command({ ...this.#bucket, Prefix, Delimiter: '/', ContinuationToken }),
          send,
        );
        for (const { Key = '', Size = 0, StorageClass: storageClass = STANDARD } of page.Contents ?? []) {
          // Some tools mark a folder by an empty object of its name.
          if (Key.endsWith('/')) continue;
          const key = Key.slice(this.#base.length);
          objects.push({ key, bytes: Size, ...(storageClass === STANDARD ? {} : { storageClass }) });
        }
        for (const { Prefix: folder = '' } of page.CommonPrefixes ?? []) folders.push(folder.slice(Prefix.length, -1));
        ContinuationToken = page.IsTruncated === true ? page.NextContinuationToken : undefined;
      } while (ContinuationToken !== undefined);
    });
    return { objects, folders: folders.sort() };
  }

  async remove(key: string, options: CallOptions = {}): Promise<void> {
    const place = this.#place(key);
    await this.#call(`remove ${key}`, options, async ({ sdk, client }, send) => {
      try {
        await client.send(new sdk.DeleteObjectCommand(place), send);
      } catch (error) {
        if (!isNotThere(error)) throw error;
      }
    });
  }

  readonly setStorageClass = async (key: string, storageClass: string, options: CallOptions = {}): Promise<void> => {
    const place = this.#place(key);
    const source = [place.Bucket, ...place.Key.split('/')].map(encodeURIComponent).join('/');
    await this.#call(`move ${key}`, options, async ({ sdk, client }, send) => {
      await client.send(
        new sdk.CopyObjectCommand({
          ...place,
          CopySource: source,
          StorageClass: storageClass as 'STANDARD',
          MetadataDirective: 'COPY',
          TaggingDirective: 'COPY',
          ChecksumAlgorithm: 'SHA256',
        }),
        send,
      );
    });
  };

  async close(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    (await connection?.catch(() => undefined))?.client.destroy();
  }

  get #bucket(): { readonly Bucket: string } {
    return { Bucket: this.#options.bucket };
  }

  #place(key: string): ObjectPlace {
    assertSafeKey(key);
    return { ...this.#bucket, Key: this.#base + key };
  }

  #settings(): ObjectSettings {
    const { storageClass, tags = {} } = this.#options;
    const tagging = new URLSearchParams(tags).toString();
    return {
      ...(storageClass === undefined ? {} : { StorageClass: storageClass as 'STANDARD' }),
      ...(tagging === '' ? {} : { Tagging: tagging }),
    };
  }

  /** Whether conditional writes are honoured here; tried once. */
  async #learn(options: CallOptions): Promise<boolean> {
    this.#conditions ??= await this.#call('check', options, (connection, send) => {
      const place = this.#place(`${STORE}/probe`);
      return honoursConditions(connection, place, this.#settings(), send);
    });
    return this.#conditions;
  }

  /** Reads back what the service did not vouch for. Bytes that differ do not stay. */
  async #confirm(key: string, sha256: string, ifAbsent: boolean, options: CallOptions): Promise<void> {
    const there = await this.#readChecksum(key, this.#place(key), options);
    if (there?.sha256 === sha256) return;
    if (ifAbsent && there !== undefined) throw this.#exists(key);
    if (there !== undefined) await this.remove(key, options);
    throw new DestinationError('damaged', `${this.name}: put ${key}: what arrived is not what was sent.`);
  }

  #exists(key: string): DestinationError {
    return new DestinationError('exists', `${this.name}: ${key} exists already.`);
  }

  async #head(place: ObjectPlace, options: CallOptions): Promise<HeadObjectCommandOutput | undefined> {
    return this.#call(`look at ${place.Key}`, options, async ({ sdk, client }, send) => {
      try {
        return await client.send(new sdk.HeadObjectCommand({ ...place, ChecksumMode: 'ENABLED' }), send);
      } catch (error) {
        if (isNotThere(error)) return undefined;
        throw error;
      }
    });
  }

  #readChecksum(key: string, place: ObjectPlace, options: CallOptions): Promise<ObjectChecksum | undefined> {
    return this.#read(`read ${key}`, place, options, (body, { ContentLength }) =>
      receivedChecksum(body, ContentLength, options.signal),
    );
  }

  #read<T>(
    what: string,
    place: ObjectPlace,
    options: CallOptions,
    use: (body: Readable, answer: GetObjectCommandOutput) => Promise<T>,
  ): Promise<T | undefined> {
    return this.#call(what, options, async ({ sdk, client }, send) => {
      let answer: GetObjectCommandOutput;
      try {
        answer = await client.send(new sdk.GetObjectCommand(place), send);
      } catch (error) {
        if (isNotThere(error)) return undefined;
        if ((error as Error).name === 'InvalidObjectState') throw this.#frozen(place, error);
        throw error;
      }
      return use(answer.Body as Readable, answer);
    });
  }

  #frozen({ Bucket, Key }: ObjectPlace, cause: unknown): DestinationError {
    const { StorageClass: kept = 'an archive class' } = cause as { StorageClass?: string };
    const command =
      `aws s3api restore-object --bucket ${Bucket} --key '${Key}' ` +
      `--restore-request 'Days=7,GlacierJobParameters={Tier=Standard}'`;
    return new DestinationError(
      'archived',
      `${this.name}: ${Key} lies in ${kept} and has to be thawed before it can be read (hours): ${command}`,
      { cause, hint: `${command}; then try again when it is thawed.` },
    );
  }

  async #call<T>(
    what: string,
    { signal }: CallOptions,
    call: (connection: S3Connection, send: SendOptions) => Promise<T>,
  ): Promise<T> {
    const where = `${this.name}: ${what}`;
    if (signal?.aborted === true) throw stopped(where, signal);
    try {
      this.#connection ??= connectS3(this.name, this.#options);
      const connection = await this.#connection;
      return await call(connection, signal === undefined ? {} : { abortSignal: signal });
    } catch (error) {
      throw s3Error(where, error, signal);
    }
  }
}

/** The SHA-256 of an object's bytes, where the service computed it: of the whole, or of the parts that this module has sent. */
function computedBy({ ChecksumSHA256: sum, ETag = '', Metadata = {} }: HeadObjectCommandOutput): string | undefined {
  if (sum === undefined) return undefined;
  // Only an object sent in parts has such a tag. Not every service adds their number to the checksum too.
  if (!sum.includes('-') && !ETag.includes('-')) return Buffer.from(sum, 'base64').toString('hex');
  const [parts] = sum.split('-');
  return parts === Metadata[PARTS_SHA256] ? Metadata[WHOLE_SHA256] : undefined;
}

function base64(hex: string): string {
  return Buffer.from(hex, 'hex').toString('base64');
}

export const s3DestinationKind = defineDestinationKind({
  type: 's3',
  summary: 'A bucket of Amazon S3, or of anything that speaks its protocol.',
  schema: z.strictObject({
    bucket: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._:/-]*$/)
      .describe('Name of the bucket. Credentials come from the environment or a profile, never from here.'),
    prefix: z.string().min(1).optional().describe('Beginning of every key, such as backups/sweeps.'),
    region: z.string().min(1).optional().describe('Region of the bucket; else AWS_REGION or the profile says it.'),
    endpoint: z
      .url({ protocol: /^https?$/ })
      .refine((url) => !holdsCredentials(url), 'holds credentials: never here')
      .optional()
      .describe('URL of a service other than Amazon.'),
    pathStyle: z
      .boolean()
      .optional()
      .describe('The bucket stands in the path, not in the host name. Default: only with an endpoint.'),
    profile: z.string().min(1).optional().describe('Profile of ~/.aws/config and ~/.aws/credentials.'),
  }),
  create: (options, context) => {
    const { name, project, policy, tags, storageClass } = context;
    const classes = typeof storageClass === 'string' ? { newest: storageClass } : storageClass;
    const newest = classes?.newest;
    if (newest !== undefined && FROZEN_CLASSES.has(newest)) {
      throw new UsageError(
        `Destination "${name}" (s3): storage_class ${newest} for the newest states would make them unreadable for hours.`,
        { hint: `Freeze old states only: storage_class: {months: ${newest}}` },
      );
    }
    const given: DestinationPolicy = { ...policy, storageClasses: classes };
    return new S3Destination({ ...options, name, project, policy: given, tags, storageClass: newest });
  },
});
