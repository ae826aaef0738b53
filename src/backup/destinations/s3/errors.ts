import { DestinationError, type DestinationErrorReason } from '../destination.js';
import { NETWORK_HINT, networkReason, retryAfter, stopped } from '../transfer/network-errors.js';

/** What of an SDK's error is looked at. */
interface ServiceError {
  readonly name?: string;
  readonly message?: string;
  /** Of Node's network errors. */
  readonly code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly $response?: { readonly headers?: Readonly<Record<string, string>> };
}

interface Rule {
  readonly reason: DestinationErrorReason;
  readonly permanent?: boolean;
  readonly hint?: string;
}

const CREDENTIALS: Rule = {
  reason: 'denied',
  hint: 'Check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE (profile: in the configuration).',
};
const REGION: Rule = {
  reason: 'denied',
  hint: 'Set region: to the one of the bucket (and endpoint: where it has one).',
};
const CLOCK: Rule = {
  reason: 'failed',
  hint: "This machine's clock is wrong: set it (timedatectl set-ntp true).",
};
const BUSY: Rule = { reason: 'rateLimited' };
const FULL: Rule = { reason: 'full', hint: 'Its quota or disk is used up: make room there.' };

const ELSE_HINT =
  'Something else answers there: look at endpoint:, and whether a proxy or a login page stands between.';
const TROUBLE_HINT = 'The service is in trouble: it is tried again by itself.';

/** By the service's own code. */
const BY_CODE: Readonly<Record<string, Rule>> = {
  AccessDenied: {
    reason: 'denied',
    hint: 'The credentials need s3:ListBucket, GetObject, PutObject and DeleteObject.',
  },
  AccountProblem: { reason: 'denied' },
  AllAccessDisabled: { reason: 'denied' },
  CredentialsProviderError: CREDENTIALS,
  ExpiredToken: CREDENTIALS,
  ExpiredTokenException: CREDENTIALS,
  InvalidAccessKeyId: CREDENTIALS,
  InvalidToken: CREDENTIALS,
  SignatureDoesNotMatch: CREDENTIALS,
  TokenRefreshRequired: CREDENTIALS,
  UnauthorizedAccess: CREDENTIALS,
  AuthorizationHeaderMalformed: REGION,
  PermanentRedirect: REGION,
  InvalidBucketName: { reason: 'denied' },
  NoSuchBucket: { reason: 'unreachable', permanent: true, hint: 'Create the bucket, or mend its name.' },
  // The SDK corrects its clock by the answer, so the next try has the right time.
  RequestTimeTooSkewed: CLOCK,
  RequestExpired: CLOCK,
  SlowDown: BUSY,
  Throttling: BUSY,
  ThrottlingException: BUSY,
  TooManyRequests: BUSY,
  TooManyRequestsException: BUSY,
  RequestLimitExceeded: BUSY,
  BandwidthLimitExceeded: BUSY,
  InsufficientStorage: FULL,
  QuotaExceeded: FULL,
  ServiceQuotaExceededException: FULL,
  StorageQuotaExceeded: FULL,
  XMinioAdminBucketQuotaExceeded: FULL,
  XMinioStorageFull: FULL,
  BadDigest: { reason: 'damaged' },
  InvalidDigest: { reason: 'damaged' },
  IncompleteBody: { reason: 'damaged' },
  XAmzContentChecksumMismatch: { reason: 'damaged' },
  XAmzContentSHA256Mismatch: { reason: 'damaged' },
  ConditionalRequestConflict: { reason: 'failed' },
  OperationAborted: { reason: 'failed' },
  PreconditionFailed: { reason: 'exists' },
  EntityTooLarge: { reason: 'failed', permanent: true },
  KeyTooLongError: { reason: 'failed', permanent: true },
  InvalidObjectState: { reason: 'archived' },
  RequestTimeout: { reason: 'timeout' },
};

/** Where the code says nothing. */
const BY_STATUS: Readonly<Record<number, Rule>> = {
  301: REGION,
  401: CREDENTIALS,
  403: { reason: 'denied', hint: 'The credentials are not accepted, or lack a permission for this bucket.' },
  408: { reason: 'timeout' },
  409: { reason: 'failed' },
  412: { reason: 'exists' },
  429: BUSY,
  507: FULL,
};

/** Any error of a call as one that callers know. */
export function s3Error(where: string, error: unknown, signal: AbortSignal | undefined): DestinationError {
  if (error instanceof DestinationError) return error;
  if (signal?.aborted === true) return stopped(where, signal);
  const failure = error as ServiceError;
  const status = failure.$metadata?.httpStatusCode;
  const ofNetwork = networkReason(failure);
  // What the SDK then says is for who programs with it.
  const isForeign = failure.message?.includes('Deserialization error') === true;
  const rule: Rule =
    BY_CODE[failure.name ?? ''] ??
    BY_STATUS[status ?? 0] ??
    ((status ?? 0) >= 500
      ? { reason: 'unreachable', hint: TROUBLE_HINT }
      : isForeign
        ? { reason: 'unreachable', hint: ELSE_HINT }
        : ofNetwork === undefined
          ? { reason: 'failed' }
          : { reason: ofNetwork, hint: NETWORK_HINT });
  const code = [status, failure.name ?? failure.code]
    .filter((part) => part !== undefined && part !== 'Error')
    .join(' ');
  const message = isForeign ? 'the answer is not that of an S3 service' : failure.message;
  const text = message === undefined || message === 'UnknownError' ? '' : `: ${message}`;
  const retryAfterMs = retryAfter(failure.$response?.headers ?? {});
  return new DestinationError(rule.reason, `${where}: ${code}${text}`.replace(': :', ':'), {
    cause: error,
    ...(rule.permanent === undefined ? {} : { permanent: rule.permanent }),
    ...(rule.hint === undefined ? {} : { hint: rule.hint }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

/** Whether an answer says that there is no such object (and not that there is no such bucket). */
export function isNotThere(error: unknown): boolean {
  const { name, $metadata } = error as ServiceError;
  return name === 'NoSuchKey' || name === 'NotFound' || ($metadata?.httpStatusCode === 404 && name !== 'NoSuchBucket');
}
