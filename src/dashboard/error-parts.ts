import { messageOf, ResweepError, UsageError } from '../core/errors.js';

/** An error as it may be told to others: without its stack. */
export interface ErrorParts {
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
  /** Whoever asked can mend it. */
  readonly isUsage: boolean;
}

export function errorParts(error: unknown): ErrorParts {
  const known = error instanceof ResweepError;
  return {
    code: known ? error.code : 'UNEXPECTED',
    message: messageOf(error),
    hint: known ? (error.hint ?? null) : null,
    isUsage: error instanceof UsageError,
  };
}

/** The error again, on the other side. */
export function errorOf({ code, message, hint, isUsage }: ErrorParts): ResweepError {
  const options = hint === null ? {} : { hint };
  return isUsage ? new UsageError(message, { code, ...options }) : new ResweepError(code, message, options);
}
