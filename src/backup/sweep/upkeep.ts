import { explanationOf } from '../../core/errors.js';
import { after, every } from '../../core/long-timers.js';
import type { Destination } from '../destinations/destination.js';
import type { DriveCore } from '../drive/drive-core.js';
import type { Drive } from '../drive/drive.js';
import { pruneBackups } from '../retention/prune.js';
import { verifyBackups } from '../verify/verify.js';

/** What the last scheduled verification of a destination found. */
export interface UpkeepResult {
  /** ISO 8601. */
  readonly at: string;
  readonly deep: boolean;
  /** Damaged states; undefined where the destination did not answer. */
  readonly damaged: number | undefined;
  /** What is wrong, for people; undefined where all is well. */
  readonly problem: string | undefined;
}

export interface UpkeepOptions {
  /** Time from the start to the first prune. @default 2 minutes */
  readonly firstPruneMs?: number | undefined;
  /** @default 1 hour */
  readonly pruneEveryMs?: number | undefined;
  /** Also after so many saves: a listing of the manifests then stays one request. @default 500 */
  readonly pruneAfterSaves?: number | undefined;
  /** As `VerifyOptions.checkFolder`. */
  readonly checkFolder?: ((folder: string) => Promise<readonly string[]>) | undefined;
}

/** Share of the older states that a scheduled verification looks at; the newest always is. */
const SAMPLE = 0.1;
/** How often the saves are counted. */
const COUNT_MS = 60_000;

/**
 * Keeps one destination in order while a sweep runs: removes what retention needs no more, and verifies on the schedule of its
 * policy. Beside the saves, one thing at a time; a failure is reported and tried again at the next date.
 */
export class Upkeep {
  readonly #drive: Drive;
  readonly #core: DriveCore;
  readonly #destination: Destination;
  readonly #path: string;
  readonly #abort = new AbortController();
  readonly #stops: (() => void)[] = [];
  #queue: Promise<void> = Promise.resolve();
  /** Work that waits for its turn: asked for again meanwhile, it is done once. */
  readonly #waiting = new Set<string>();
  #result: UpkeepResult | undefined;
  #checkFolder: UpkeepOptions['checkFolder'];
  /** Saves up to the last prune. */
  #prunedAt = 0;

  /** `path`: the folder of the study. */
  constructor(drive: Drive, core: DriveCore, destination: Destination, path: string) {
    this.#drive = drive;
    this.#core = core;
    this.#destination = destination;
    this.#path = path;
  }

  /** Undefined before the first one. */
  get verification(): UpkeepResult | undefined {
    return this.#result;
  }

  start(options: UpkeepOptions = {}): void {
    const { firstPruneMs = 120_000, pruneEveryMs = 3_600_000, pruneAfterSaves = 500 } = options;
    this.#checkFolder = options.checkFolder;
    const prune = (): void => {
      this.#run('prune', () => this.#prune());
    };
    const count = (): void => {
      if (this.#core.savesTo(this.#destination) - this.#prunedAt >= pruneAfterSaves) prune();
    };
    this.#stops.push(
      after(firstPruneMs, prune),
      every(pruneEveryMs, prune),
      every(Math.min(COUNT_MS, firstPruneMs), count),
    );
    const { verify } = this.#destination.policy ?? {};
    if (verify?.everyMs !== undefined) {
      const { everyMs, deep } = verify;
      this.#stops.push(
        every(everyMs, () => {
          this.#run('verify', () => this.#verify(deep));
        }),
      );
    }
  }

  /** Ends it; what is under way is stopped. */
  async stop(): Promise<void> {
    for (const stop of this.#stops) stop();
    this.#abort.abort();
    await this.#queue;
  }

  #run(what: string, work: () => Promise<void>): void {
    if (this.#waiting.has(what)) return;
    this.#waiting.add(what);
    this.#queue = this.#queue.then(async () => {
      this.#waiting.delete(what);
      if (this.#abort.signal.aborted) return;
      try {
        await work();
      } catch (error) {
        this.#core.reporter.emitOnce(`upkeep ${this.#destination.name}`, {
          type: 'verification',
          destination: this.#destination.name,
          outcome: 'warning',
          finding: 'unchecked',
          message: `${this.#destination.name} could not be looked after: ${explanationOf(error)}`,
        });
      }
    });
  }

  async #prune(): Promise<void> {
    this.#prunedAt = this.#core.savesTo(this.#destination);
    await pruneBackups(this.#drive, {
      path: this.#path,
      destination: this.#destination.name,
      signal: this.#abort.signal,
    });
  }

  async #verify(deep: boolean): Promise<void> {
    const { signal } = this.#abort;
    const { name } = this.#destination;
    const report = await verifyBackups(this.#drive, {
      path: this.#path,
      destination: name,
      deep,
      sample: SAMPLE,
      checkFolder: this.#checkFolder,
      signal,
    });
    if (signal.aborted) return;
    const [damage] = report.damages;
    const [lost] = report.unreachable;
    this.#result = {
      at: new Date().toISOString(),
      deep,
      damaged: lost === undefined ? report.damages.length : undefined,
      problem:
        damage === undefined
          ? lost && `could not be verified: ${lost.error}`
          : `${report.damages.length} damaged: ${damage.path}: ${damage.problem}`,
    };
  }
}
