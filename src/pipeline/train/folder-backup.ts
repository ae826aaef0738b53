import type { StageRun } from '../stage.js';

/** Backs up a folder that is being written, now and then: one copy at a time, off the training's path. */
export class FolderBackup {
  readonly #run: StageRun;
  readonly #folder: string;
  readonly #everyMs: number;
  #last = -Infinity;
  #inFlight: Promise<void> | undefined;

  constructor(run: StageRun, folder: string, everyMs: number) {
    this.#run = run;
    this.#folder = folder;
    this.#everyMs = everyMs;
  }

  /** Something new is there. Returns at once. */
  changed(): void {
    const now = performance.now();
    if (this.#inFlight !== undefined || now - this.#last < this.#everyMs) return;
    this.#last = now;
    this.#inFlight = this.#run.save(this.#folder, true).finally(() => {
      this.#inFlight = undefined;
    });
  }

  /** A last copy of what is there now. */
  async finish(): Promise<void> {
    await this.#inFlight;
    await this.#run.save(this.#folder, true);
  }
}
