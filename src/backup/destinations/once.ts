import { DestinationError } from './destination.js';

/** Something that many calls need and the first of them makes; made again after a failure. */
export class Once<T> {
  #made: Promise<T> | undefined;

  /** Whoever waits for another's try, which that one's signal or time limit has ended, makes its own. */
  async get(make: () => Promise<T>): Promise<T> {
    for (;;) {
      const isOwn = this.#made === undefined;
      const made = (this.#made ??= make());
      try {
        return await made;
      } catch (error) {
        if (this.#made === made) this.#made = undefined;
        if (isOwn || !wasStopped(error)) throw error;
      }
    }
  }

  /** The next call makes it anew. */
  forget(): void {
    this.#made = undefined;
  }
}

function wasStopped(error: unknown): boolean {
  return error instanceof DestinationError && (error.reason === 'aborted' || error.reason === 'timeout');
}
