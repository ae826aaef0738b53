import { DestinationError } from '../destination.js';

/** GitHub refuses more content-creating requests than 80 a minute and 500 an hour; some are left to others. */
const WRITES = [
  { windowMs: 60_000, most: 70 },
  { windowMs: 3_600_000, most: 450 },
] as const;
/** Requests of an hour's budget that are left for a restore. */
const RESERVE = 50;

/** Keeps requests within GitHub's limits, so that it never has to refuse: it bans those who go on. */
export class RequestBudget {
  readonly #name: string;
  readonly #now: () => number;
  #writes: number[] = [];
  #remaining: number | undefined;
  #resetAt = 0;

  /** `now`: monotonic milliseconds. */
  constructor(name: string, now: () => number = () => performance.now()) {
    this.#name = name;
    this.#now = now;
  }

  /** Called before each request. @throws DestinationError `rateLimited`, with the time to wait */
  spend(isWrite: boolean): void {
    const now = this.#now();
    if (isWrite && this.#remaining !== undefined && this.#remaining <= RESERVE && now < this.#resetAt) {
      throw this.#limited(`${this.#remaining} requests are left in this hour`, this.#resetAt - now);
    }
    if (!isWrite) return;
    this.#writes = this.#writes.filter((at) => now - at < 3_600_000);
    for (const { windowMs, most } of WRITES) {
      const within = this.#writes.filter((at) => now - at < windowMs);
      const [oldest] = within;
      if (within.length >= most && oldest !== undefined) {
        throw this.#limited(`${most} writes in ${windowMs / 60_000} min are GitHub's limit`, oldest + windowMs - now);
      }
    }
    this.#writes.push(now);
  }

  /** Takes note of what an answer says about the budget. */
  learn(headers: Readonly<Record<string, string | undefined>>): void {
    const { 'x-ratelimit-remaining': remaining, 'x-ratelimit-reset': reset, date } = headers;
    if (remaining === undefined || reset === undefined) return;
    const serverNow = Date.parse(date ?? '');
    this.#remaining = Number(remaining);
    this.#resetAt = this.#now() + Number(reset) * 1000 - (Number.isNaN(serverNow) ? Date.now() : serverNow);
  }

  #limited(why: string, retryAfterMs: number): DestinationError {
    return new DestinationError('rateLimited', `${this.#name}: waiting for GitHub's limits: ${why}.`, { retryAfterMs });
  }
}
