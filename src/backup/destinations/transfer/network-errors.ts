import { DestinationError, type DestinationErrorReason } from '../destination.js';

const REASONS: Readonly<Record<string, DestinationErrorReason>> = {
  TimeoutError: 'timeout',
  ETIMEDOUT: 'timeout',
  UND_ERR_CONNECT_TIMEOUT: 'timeout',
  UND_ERR_HEADERS_TIMEOUT: 'timeout',
  UND_ERR_BODY_TIMEOUT: 'timeout',
};

/** What of a network's error is looked at. */
interface NetworkError {
  readonly name?: string;
  readonly message?: string;
  readonly code?: string;
}

/** The reason of an error that came from the network, not from the service; undefined where it did not. */
export function networkReason({
  name = '',
  message = '',
  code = '',
}: NetworkError): DestinationErrorReason | undefined {
  // The SDK of S3 calls a reset connection a time-out too.
  const known = REASONS[code] ?? (code === '' ? REASONS[name] : undefined);
  if (known !== undefined) return known;
  const isNetwork =
    /^(?:E[A-Z_]+|UND_ERR.*)$/.test(code) ||
    /socket|aborted|premature|terminated|network|stream|fetch failed/i.test(message);
  return isNetwork ? 'unreachable' : undefined;
}

/** What a person can do where a service does not answer. */
export const NETWORK_HINT = 'Is the network up, and the address right? It is tried again by itself.';

/** Any error of a call as one that callers know. */
export function networkError(where: string, error: unknown, signal: AbortSignal | undefined): DestinationError {
  if (error instanceof DestinationError) return error;
  if (signal?.aborted === true) return stopped(where, signal);
  const failure = error as NetworkError;
  const reason = networkReason(failure);
  return new DestinationError(reason ?? 'failed', `${where}: ${failure.message ?? String(error)}`, {
    cause: error,
    ...(reason === undefined ? {} : { hint: NETWORK_HINT }),
  });
}

/** The error of a call that its caller has stopped. */
export function stopped(where: string, signal: AbortSignal): DestinationError {
  const reason: unknown = signal.reason;
  return reason instanceof DestinationError
    ? reason
    : new DestinationError('aborted', `${where}: stopped.`, { cause: reason });
}

/** `Retry-After` in milliseconds: seconds, or a date by the answer's own clock. */
export function retryAfter(headers: Readonly<Record<string, string | undefined>>): number | undefined {
  const value = headers['retry-after'];
  if (value === undefined) return undefined;
  if (/^\d+(\.\d+)?$/.test(value)) return Number(value) * 1000;
  const until = Date.parse(value);
  const now = Date.parse(headers['date'] ?? '');
  return Number.isNaN(until) ? undefined : Math.max(0, until - (Number.isNaN(now) ? Date.now() : now));
}
