import { existsSync, rmSync } from 'node:fs';

import pRetry, { AbortError } from 'p-retry';

import {
  DestinationError,
  type CallOptions,
  type Destination,
  type DestinationPolicy,
  type DestinationTraits,
  type Listing,
  type ObjectBody,
  type ObjectChecksum,
  type PutOptions,
  type PutReceipt,
} from './destination.js';

export interface RetryOptions {
  /** Tries after the first. @default 4 */
  readonly retries?: number | undefined;
  /** Wait before the first retry; doubles, with jitter. @default 250 */
  readonly minDelayMs?: number | undefined;
  /** @default 15000 */
  readonly maxDelayMs?: number | undefined;
  /** Longest time of one request, before what its size adds. @default 30000 */
  readonly timeoutMs?: number | undefined;
  /** Slowest transfer that is waited for; adds to the time-out of large objects. @default 262144 */
  readonly minBytesPerSecond?: number | undefined;
  /** Told before each retry. */
  readonly onRetry?: ((error: DestinationError, attempt: number) => void) | undefined;
}

/** Longest wait that a destination may ask for within one call. */
const LONGEST_WAIT_MS = 120_000;

/**
 * Gives any destination a bound for each request and retries what may pass: time-outs, lost connections, rate limits.
 * Exponential with jitter; waits as long as `Retry-After` asks. What is permanent (credentials, quota) fails at once.
 */
export class RetryingDestination implements Destination {
  readonly #inner: Destination;
  readonly #options: RetryOptions;

  constructor(inner: Destination, options: RetryOptions = {}) {
    this.#inner = inner;
    this.#options = options;
  }

  get name(): string {
    return this.#inner.name;
  }

  get type(): string {
    return this.#inner.type;
  }

  get location(): string {
    return this.#inner.location;
  }

  get localFolder(): string | undefined {
    return this.#inner.localFolder;
  }

  get localDevice(): number | undefined {
    return this.#inner.localDevice;
  }

  get policy(): DestinationPolicy | undefined {
    return this.#inner.policy;
  }

  get traits(): DestinationTraits {
    return this.#inner.traits;
  }

  check(options?: CallOptions): Promise<void> {
    return this.#run('check', options, 0, (call) => this.#inner.check(call));
  }

  put(key: string, body: ObjectBody, options: PutOptions): Promise<PutReceipt> {
    const bytes = body instanceof Uint8Array ? body.length : body.bytes;
    let attempt = 0;
    return this.#run(`put ${key}`, options, bytes, async (call) => {
      attempt++;
      try {
        const receipt = await this.#inner.put(key, body, { ...options, ...call });
        return attempt === 1 ? receipt : { ...receipt, tries: attempt };
      } catch (error) {
        // A reply was lost, the object was not: it is ours where its content is.
        if (attempt > 1 && error instanceof DestinationError && error.reason === 'exists') {
          const there = await this.#inner.checksum(key, call);
          if (there?.sha256 === options.sha256) {
            return { bytes: there.bytes, confirmation: this.#inner.traits.confirms, tries: attempt };
          }
        }
        throw error;
      }
    });
  }

  get(key: string, options?: CallOptions): Promise<Uint8Array | undefined> {
    return this.#run(`get ${key}`, options, 1 << 24, (call) => this.#inner.get(key, call));
  }

  download(key: string, file: string, options?: CallOptions & { bytes?: number }): Promise<ObjectChecksum | undefined> {
    const wasThere = existsSync(file);
    let attempt = 0;
    return this.#run(`download ${key}`, options, options?.bytes ?? 1 << 30, (call) => {
      // What a try left that was itself left behind, such as one into a mount that hangs.
      if (++attempt > 1 && !wasThere) rmSync(file, { force: true });
      return this.#inner.download(key, file, call);
    });
  }

  checksum(key: string, options?: CallOptions): Promise<ObjectChecksum | undefined> {
    return this.#run(`checksum ${key}`, options, 1 << 26, (call) => this.#inner.checksum(key, call));
  }

  list(prefix: string, options?: CallOptions): Promise<Listing> {
    return this.#run(`list ${prefix}`, options, 0, (call) => this.#inner.list(prefix, call));
  }

  remove(key: string, options?: CallOptions): Promise<void> {
    return this.#run(`remove ${key}`, options, 0, (call) => this.#inner.remove(key, call));
  }

  get checkKeys(): Destination['checkKeys'] {
    const inner = this.#inner;
    if (inner.checkKeys === undefined) return undefined;
    return (options) =>
      this.#run(
        'look at its keys',
        options,
        0,
        async (call) => (await inner.checkKeys?.({ ...options, ...call })) ?? [],
      );
  }

  get setStorageClass(): Destination['setStorageClass'] {
    const inner = this.#inner;
    if (inner.setStorageClass === undefined) return undefined;
    return (key, storageClass, options) =>
      this.#run(`move ${key}`, options, 1 << 24, async (call) => inner.setStorageClass?.(key, storageClass, call));
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  async #run<T>(
    what: string,
    options: CallOptions | undefined,
    bytes: number,
    call: (options: CallOptions) => Promise<T>,
  ): Promise<T> {
    const { retries = 4, minDelayMs = 250, maxDelayMs = 15_000, timeoutMs = 30_000 } = this.#options;
    const limit = timeoutMs + (bytes / (this.#options.minBytesPerSecond ?? 262_144)) * 1000;
    const attempt = async (): Promise<T> => {
      try {
        return await bounded(`${this.name}: ${what}`, limit, options?.signal, call);
      } catch (error) {
        const known = this.#classified(what, error);
        // A wait that long is left to whoever plans the next save.
        if (known.permanent || (known.retryAfterMs ?? 0) > LONGEST_WAIT_MS) throw new AbortError(known);
        throw known;
      }
    };
    try {
      return await pRetry(attempt, {
        retries,
        factor: 2,
        minTimeout: minDelayMs,
        maxTimeout: maxDelayMs,
        randomize: true,
        signal: options?.signal,
        onFailedAttempt: async ({ error, attemptNumber, retriesLeft }) => {
          if (retriesLeft === 0 || !(error instanceof DestinationError)) return;
          this.#options.onRetry?.(error, attemptNumber);
          if (error.retryAfterMs !== undefined) await delay(error.retryAfterMs, options?.signal);
        },
      });
    } catch (error) {
      if (options?.signal?.aborted === true && !(error instanceof DestinationError)) {
        throw new DestinationError('aborted', `${this.name}: ${what}: stopped.`, { cause: error });
      }
      throw this.#classified(what, error);
    }
  }

  #classified(what: string, error: unknown): DestinationError {
    if (error instanceof DestinationError) return error;
    if (error instanceof AbortError) return this.#classified(what, error.originalError);
    const text = error instanceof Error ? error.message : String(error);
    return new DestinationError('failed', `${this.name}: ${what}: ${text}`, { cause: error });
  }
}

/** Runs one request with a time limit of its own; the request is told to stop, and left behind where it does not. */
async function bounded<T>(
  what: string,
  limitMs: number,
  outer: AbortSignal | undefined,
  call: (options: CallOptions) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let onAbort: (() => void) | undefined;
  const stopped = new Promise<never>((_, reject) => {
    const stop = (error: DestinationError): void => {
      controller.abort(error);
      reject(error);
    };
    onAbort = () => {
      stop(new DestinationError('aborted', `${what}: stopped.`, { cause: outer?.reason }));
    };
    timer = setTimeout(() => {
      const hint = 'Is the network up, or the mount alive? It is tried again by itself.';
      stop(new DestinationError('timeout', `${what}: no answer within ${(limitMs / 1000).toFixed(1)} s.`, { hint }));
    }, limitMs);
    if (outer?.aborted === true) onAbort();
    else outer?.addEventListener('abort', onAbort, { once: true });
  });
  stopped.catch(() => undefined);
  try {
    if (controller.signal.aborted) return await stopped;
    return await Promise.race([call({ signal: controller.signal }), stopped]);
  } finally {
    clearTimeout(timer);
    if (onAbort !== undefined) outer?.removeEventListener('abort', onAbort);
  }
}

function delay(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, milliseconds);
    function done(): void {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    }
    signal?.addEventListener('abort', done, { once: true });
    if (signal?.aborted === true) done();
  });
}
