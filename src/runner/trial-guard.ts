import type { TrialTask } from './objective.js';
import { residentBytesOfTree } from './process-tree.js';

const LOOK_MS = 250;

/** Which limit a trial has broken. */
export interface BrokenLimit {
  readonly message: string;
  readonly timedOut?: boolean;
  readonly outOfMemory?: boolean;
}

/** Watches one trial's process for its limits; `onLimit` is told once which was broken. */
export class TrialGuard {
  readonly #task: TrialTask;
  readonly #pid: number;
  readonly #onLimit: (limit: BrokenLimit) => void;
  readonly #startedAt = performance.now();
  readonly #timer: NodeJS.Timeout | undefined;
  #lastSign = performance.now();
  #broken = false;

  constructor(task: TrialTask, pid: number, onLimit: (limit: BrokenLimit) => void) {
    this.#task = task;
    this.#pid = pid;
    this.#onLimit = onLimit;
    const { timeoutMs, memoryBytes, idleMs } = task;
    if (timeoutMs === undefined && memoryBytes === undefined && idleMs === undefined) return;
    this.#timer = setInterval(() => {
      this.#look();
    }, LOOK_MS);
  }

  /** The trial has shown a sign of life. */
  sign(): void {
    this.#lastSign = performance.now();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    if (this.#broken) return;
    const limit = this.#brokenLimit();
    if (limit === undefined) return;
    this.#broken = true;
    this.#onLimit(limit);
  }

  #brokenLimit(): BrokenLimit | undefined {
    const { timeoutMs, memoryBytes, idleMs } = this.#task;
    const now = performance.now();
    if (timeoutMs !== undefined && now - this.#startedAt > timeoutMs) {
      return { message: `It ran longer than limits.trial (${timeoutMs / 1000} s).`, timedOut: true };
    }
    if (idleMs !== undefined && now - this.#lastSign > idleMs) {
      return { message: `It gave no sign for longer than limits.idle_output (${idleMs / 1000} s).`, timedOut: true };
    }
    if (memoryBytes === undefined) return undefined;
    const used = residentBytesOfTree(this.#pid);
    if (used === undefined || used <= memoryBytes) return undefined;
    const megabytes = (bytes: number): number => Math.round(bytes / 1e6);
    return {
      message: `It used ${megabytes(used)} MB, more than limits.memory (${megabytes(memoryBytes)} MB).`,
      outOfMemory: true,
    };
  }
}
