import type { ListMultipartUploadsCommandOutput } from '@aws-sdk/client-s3';

import type { S3Connection, SendOptions } from './client.js';
import { md5Of, type ObjectPlace, type ObjectSettings } from './parts-upload.js';

const TEXT = Buffer.from('Written by resweep to learn whether this service honours conditional writes.\n');

/**
 * Whether "only if it does not exist" holds here. Writes a small object once per place: where that is refused the second time, the
 * service honours the condition. Credentials that may not write learn nothing.
 */
export async function honoursConditions(
  { sdk, client }: S3Connection,
  place: ObjectPlace,
  settings: ObjectSettings,
  send: SendOptions,
): Promise<boolean> {
  const ContentMD5 = md5Of(TEXT).toString('base64');
  for (let tries = 0; tries < 2; tries++) {
    const command = new sdk.PutObjectCommand({ ...place, ...settings, Body: TEXT, ContentMD5, IfNoneMatch: '*' });
    try {
      await client.send(command, send);
    } catch (error) {
      const { httpStatusCode: status = 0 } = (error as { $metadata?: { httpStatusCode?: number } }).$metadata ?? {};
      if (status === 412) return true;
      // 501: the header is known and refused. 403: read only.
      if (status === 501 || status === 400 || status === 403) return false;
      throw error;
    }
  }
  return false;
}

/** Gives up uploads in parts that were begun below `prefix` and not ended in time: they cost money and nobody sees them. Never throws for want of a permission. */
export async function abortAbandonedUploads(
  { sdk, client, serverTime }: S3Connection,
  bucket: string,
  prefix: string,
  afterMs: number,
  send: SendOptions,
): Promise<void> {
  try {
    let markers: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } | undefined = {};
    while (markers !== undefined) {
      const page: ListMultipartUploadsCommandOutput = await client.send(
        new sdk.ListMultipartUploadsCommand({ Bucket: bucket, Prefix: prefix, ...markers }),
        send,
      );
      for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
        if (Key?.startsWith(prefix) !== true || Initiated === undefined) continue;
        if (serverTime() - Initiated.getTime() < afterMs) continue;
        await client.send(new sdk.AbortMultipartUploadCommand({ Bucket: bucket, Key, UploadId }), send);
      }
      markers =
        page.IsTruncated === true
          ? { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker }
          : undefined;
    }
  } catch {
    send.abortSignal?.throwIfAborted();
    // Not permitted, or not known here: it is only tidying.
  }
}
