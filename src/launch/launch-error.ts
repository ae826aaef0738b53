import { ResweepError } from '../core/errors.js';

/** An engine could not be reached, or refused. */
export class LaunchError extends ResweepError {
  constructor(message: string, options: { hint?: string; cause?: unknown } = {}) {
    super('LAUNCH', message, options);
  }
}
