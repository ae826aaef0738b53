import { writeFileAtomicallyAsync } from '../../core/atomic-file.js';
import { stringifyJson, type JsonValue } from '../../core/json.js';

/** Writes small files, each whole and synced, beside the work that goes on: waiting for a disk would cost every trial milliseconds. */
export class BackgroundFiles {
  readonly #pending = new Map<string, Promise<void>>();
  readonly #onError: (path: string, error: unknown) => void;

  constructor(onError: (path: string, error: unknown) => void) {
    this.#onError = onError;
  }

  /** Resolves once the file is in place, or could not be written and `onError` was told; never rejects. */
  writeJson(path: string, value: JsonValue): Promise<void> {
    const text = `${stringifyJson(value)}\n`;
    // Two states of one file go in their order.
    const before = this.#pending.get(path) ?? Promise.resolve();
    const written = before
      .then(() => writeFileAtomicallyAsync(path, text))
      .catch((error: unknown) => {
        this.#onError(path, error);
      })
      .finally(() => {
        if (this.#pending.get(path) === written) this.#pending.delete(path);
      });
    this.#pending.set(path, written);
    return written;
  }

  /** Resolves when nothing is being written any more. */
  async settled(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending.values());
  }
}
