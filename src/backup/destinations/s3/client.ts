import type * as Sdk from '@aws-sdk/client-s3';
import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3';

import { loadOptional } from '../../../core/optional-package.js';
import { DestinationError } from '../destination.js';

export interface S3ClientOptions {
  readonly region?: string | undefined;
  readonly endpoint?: string | undefined;
  readonly pathStyle?: boolean | undefined;
  readonly profile?: string | undefined;
}

export type S3Module = typeof Sdk;

/** Goes with each request. */
export interface SendOptions {
  readonly abortSignal?: AbortSignal;
}

export interface S3Connection {
  readonly sdk: S3Module;
  readonly client: S3Client;
  /** Milliseconds since 1970 by the service's clock, as of its last answer. */
  readonly serverTime: () => number;
}

/** Loads the SDK and makes a client. Credentials come from its default chain; it does not retry. */
export async function connectS3(name: string, options: S3ClientOptions): Promise<S3Connection> {
  const { region, endpoint, profile } = options;
  let sdk: S3Module;
  try {
    sdk = await loadOptional('@aws-sdk/client-s3', `The destination ${name} (s3)`, () => import('@aws-sdk/client-s3'));
  } catch (error) {
    throw new DestinationError('failed', `${(error as Error).message} Run: npm install @aws-sdk/client-s3`, {
      cause: error,
      permanent: true,
    });
  }
  const config: S3ClientConfig = {
    maxAttempts: 1,
    followRegionRedirects: true,
    // Checksums are given with each request: the SDK's own (CRC32 in a trailer) are not understood by every server.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: { connectionTimeout: 10_000, socketTimeout: 60_000, throwOnRequestTimeout: true },
    ...(region === undefined ? (endpoint === undefined ? {} : { region: 'us-east-1' }) : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(profile === undefined ? {} : { profile }),
    forcePathStyle: options.pathStyle ?? endpoint !== undefined,
  };
  const client = quietly(() => new sdk.S3Client(config));
  let offset = 0;
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const { headers } = result.response as { headers?: Readonly<Record<string, string>> };
      const date = Date.parse(headers?.['date'] ?? '');
      if (!Number.isNaN(date)) offset = date - Date.now();
      return result;
    },
    { step: 'deserialize', name: 'resweepServerTime' },
  );
  return { sdk, client, serverTime: () => Date.now() + offset };
}

/** Without the SDK's notice about next year's versions of Node: a user can do nothing about it here. */
function quietly<T>(make: () => T): T {
  const name = 'AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED';
  const before = process.env[name];
  process.env[name] = 'true';
  try {
    return make();
  } finally {
    if (before === undefined) Reflect.deleteProperty(process.env, name);
    else process.env[name] = before;
  }
}
