import { DestinationError, type DestinationErrorReason } from '../destination.js';
import { retryAfter } from '../transfer/network-errors.js';

/** An answer that is no success. */
export interface RefusedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Of the body: `message`, and `code`s of `errors`. */
  readonly message: string;
}

const TOKEN_HINT = 'The token needs "Contents: read and write" for the repository.';

const GONE_HINT = 'Make the repository (or its release) again where it was deleted, or mend its name.';
const FULL_HINT = 'Make room in the account, or let `keep:` hold fewer states.';

/** GitHub has refused; `status` is HTTP's. */
export class GitHubError extends DestinationError {
  readonly status: number;

  constructor(
    status: number,
    reason: DestinationErrorReason,
    message: string,
    options: { hint?: string; permanent?: boolean; retryAfterMs?: number } = {},
  ) {
    super(reason, message, options);
    this.status = status;
  }
}

/** What an answer means. */
export function answerError(where: string, { status, headers, message }: RefusedAnswer): GitHubError {
  const text = `${where}: ${status}${message === '' ? '' : ` ${message}`}`;
  const make = (
    reason: DestinationErrorReason,
    more: { hint?: string; permanent?: boolean; retryAfterMs?: number } = {},
  ) => new GitHubError(status, reason, text, more);
  if (status === 403 || status === 429) {
    const waitMs = limitWait(headers);
    if (waitMs !== undefined || status === 429 || /rate limit|abuse/i.test(message)) {
      return make('rateLimited', { retryAfterMs: waitMs ?? 60_000 });
    }
    if (/quota|storage|billing|spending limit/i.test(message)) return make('full', { hint: FULL_HINT });
    return make('denied', { hint: TOKEN_HINT });
  }
  if (status === 401) return make('denied', { hint: TOKEN_HINT });
  if (status === 404) return make('failed', { hint: GONE_HINT });
  if (status === 408) return make('timeout');
  if (status === 422) return message.includes('already_exists') ? make('exists') : make('failed', { permanent: true });
  if (status === 413) return make('failed', { permanent: true });
  if (status === 507) return make('full', { hint: FULL_HINT });
  const waitMs = retryAfter(headers);
  if (status >= 500) return make('unreachable', waitMs === undefined ? {} : { retryAfterMs: waitMs });
  return make('failed');
}

/** How long a limit asks to wait: `Retry-After`, or until the hour's budget is new, by the answer's own clock. */
function limitWait(headers: RefusedAnswer['headers']): number | undefined {
  const asked = retryAfter(headers);
  if (asked !== undefined) return asked;
  if (headers['x-ratelimit-remaining'] !== '0') return undefined;
  const reset = Number(headers['x-ratelimit-reset']) * 1000;
  const now = Date.parse(headers['date'] ?? '');
  return Number.isNaN(reset) ? undefined : Math.max(1_000, reset - (Number.isNaN(now) ? Date.now() : now));
}
