import { DestinationError, type DestinationErrorReason } from '../destination.js';
import { NETWORK_HINT, retryAfter } from '../transfer/network-errors.js';

/** A request that Drive or its token server refused, or that did not get through. */
export class DriveRequestError extends DestinationError {
  /** HTTP status; undefined where no answer came. */
  readonly status: number | undefined;
  /** Drive's own words, such as `storageQuotaExceeded`. */
  readonly driveReason: string | undefined;
  /** The server's own clock, milliseconds since 1970. */
  readonly answeredAt: number | undefined;

  constructor(
    reason: DestinationErrorReason,
    message: string,
    options: {
      hint?: string;
      permanent?: boolean;
      retryAfterMs?: number;
      status?: number | undefined;
      driveReason?: string | undefined;
      answeredAt?: number | undefined;
    } = {},
  ) {
    super(reason, message, options);
    this.status = options.status;
    this.driveReason = options.driveReason;
    this.answeredAt = options.answeredAt;
  }
}

/** What an answer says, whichever client brought it. */
export interface Answer {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  /** Parsed, or text. */
  readonly body: unknown;
}

/** Longer than this is not waited for within a save: the next one comes by itself. */
const LONGEST_WAIT_MS = 5 * 60_000;

/** Refusals with status 403 (and 429) that mean something else than "not allowed". */
const REASONS: Readonly<Record<string, { readonly reason: DestinationErrorReason; readonly permanent?: boolean }>> = {
  rateLimitExceeded: { reason: 'rateLimited' },
  userRateLimitExceeded: { reason: 'rateLimited' },
  backendError: { reason: 'unreachable' },
  storageQuotaExceeded: { reason: 'full' },
  teamDriveFileLimitExceeded: { reason: 'full' },
  numChildrenInNonRootLimitExceeded: { reason: 'full' },
  activeItemCreationLimitExceeded: { reason: 'full' },
  dailyLimitExceeded: { reason: 'rateLimited', permanent: true },
  dailyLimitExceededUnreg: { reason: 'rateLimited', permanent: true },
  quotaExceeded: { reason: 'rateLimited', permanent: true },
  uploadLimitExceeded: { reason: 'rateLimited', permanent: true },
};

const HINTS: Readonly<Record<string, string>> = {
  storageQuotaExceeded: 'Empty the trash of this Drive, or free space; what was trashed counts until it is emptied.',
  teamDriveFileLimitExceeded: 'A shared drive holds at most 500,000 items: remove some, or use another shared drive.',
  dailyLimitExceeded: 'Raise the daily limit of the Google Cloud project, or wait until tomorrow.',
  accessNotConfigured: 'Switch on the Google Drive API in the Google Cloud project of these credentials.',
  insufficientPermissions: 'Sign in again with the scope that the configuration asks for: resweep auth google',
  appNotAuthorizedToFile: 'With scope drive.file only files that resweep made itself can be used.',
  insufficientFilePermissions: 'Give the account the role "Content manager" (or "Editor") there.',
};

/** The error of an answer that is none of those wanted. `secrets` never show in its message. */
export function refusal(what: string, answer: Answer, secrets: readonly string[] = []): DriveRequestError {
  const { status } = answer;
  const { reason: driveReason, message } = words(answer.body);
  const said = redact(message ?? '', secrets).slice(0, 300);
  const text = `${what}: ${status}${driveReason === undefined ? '' : ` ${driveReason}`}${said === '' ? '' : `: ${said}`}`;
  const retryAfterMs = retryAfter({
    'retry-after': answer.headers.get('retry-after') ?? undefined,
    date: answer.headers.get('date') ?? undefined,
  });
  const known = driveReason === undefined ? undefined : REASONS[driveReason];
  const isRefused = status === 403 || status === 429;
  const reason = isRefused && known !== undefined ? known.reason : byStatus(status);
  const tooLong = retryAfterMs !== undefined && retryAfterMs > LONGEST_WAIT_MS;
  const permanent = (isRefused ? known?.permanent : undefined) ?? (isClientFault(status) || tooLong ? true : undefined);
  const hint = hintOf(status, driveReason, said);
  return new DriveRequestError(reason, text, {
    status,
    driveReason,
    answeredAt: Date.parse(answer.headers.get('date') ?? '') || undefined,
    ...(hint === undefined ? {} : { hint }),
    ...(permanent === undefined ? {} : { permanent }),
    ...(retryAfterMs === undefined || tooLong ? {} : { retryAfterMs }),
  });
}

function hintOf(status: number, driveReason: string | undefined, said: string): string | undefined {
  if (status === 404 && /shared drive/i.test(said)) {
    return 'Make the shared drive again or mend `drive:`, and add the account to it as "Content manager".';
  }
  if (status === 401) return 'Sign in again (resweep auth google), or mend the credentials.';
  return driveReason === undefined ? undefined : HINTS[driveReason];
}

function byStatus(status: number): DestinationErrorReason {
  if (status === 401 || status === 403) return 'denied';
  if (status === 408) return 'timeout';
  if (status === 429) return 'rateLimited';
  if (status === 507) return 'full';
  return status >= 500 || status === 404 || status === 410 ? 'unreachable' : 'failed';
}

/** A request that is wrong stays wrong; 404 and 410 may come from something moved meanwhile. */
function isClientFault(status: number): boolean {
  return status >= 400 && status < 500 && ![401, 403, 404, 408, 410, 429].includes(status);
}

/** Drive's reason and message, from `{error: {errors: [{reason}], message}}`, or OAuth's from `{error, error_description}`. */
function words(body: unknown): { readonly reason?: string | undefined; readonly message?: string | undefined } {
  const document = typeof body === 'string' ? parsed(body) : body;
  if (!isObject(document)) return {};
  const { error } = document;
  if (typeof error === 'string') return { reason: error, message: text(document['error_description']) };
  if (!isObject(error)) return {};
  const [first] = Array.isArray(error['errors']) ? (error['errors'] as unknown[]) : [];
  return { reason: isObject(first) ? text(first['reason']) : text(error['status']), message: text(error['message']) };
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

const SECRETS = [
  /Bearer\s+\S+/gi,
  /\bya29\.[\w.-]+/g,
  /\b1\/\/[\w-]+/g,
  /upload_id=[^&\s"']+/g,
  /https?:\/\/\S*\/upload\/\S*/g,
];

/** A text of somebody else's without what could open the account. */
export function redact(message: string, secrets: readonly string[]): string {
  let clean = message;
  for (const secret of secrets) if (secret !== '') clean = clean.replaceAll(secret, '…');
  for (const pattern of SECRETS) clean = clean.replace(pattern, '…');
  return clean;
}

/**
 * The error of a request without an answer. Nothing of the client's own message is shown: it holds the address, and the address of
 * an upload session is a secret.
 */
export function noAnswer(what: string, error: unknown, signal: AbortSignal | undefined): DestinationError {
  if (error instanceof DestinationError) return error;
  const reason: unknown = signal?.reason;
  if (signal?.aborted === true) {
    if (reason instanceof DestinationError) return reason;
    return new DestinationError('aborted', `${what}: stopped.`);
  }
  const code = networkCode(error);
  if (code === 'TimeoutError' || code === 'ETIMEDOUT')
    return new DriveRequestError('timeout', `${what}: no answer in time.`);
  return new DriveRequestError(
    'unreachable',
    `${what}: the connection failed${code === undefined ? '' : ` (${code})`}.`,
    { hint: NETWORK_HINT },
  );
}

function networkCode(error: unknown): string | undefined {
  for (let current = error, depth = 0; isObject(current) && depth < 5; current = current['cause'], depth++) {
    if (current['name'] === 'TimeoutError') return 'TimeoutError';
    const code = text(current['code']);
    if (code !== undefined && /^[A-Z][A-Z0-9_]+$/.test(code)) return code;
  }
  return undefined;
}
