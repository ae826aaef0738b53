/**
 * Packs of one destination on which saves of this process count. A pack is named after its bytes: a prune may be about to remove the very
 * one that a save has just sent again. What is claimed while a prune runs stays, since the prune may have read the manifests before.
 */
export class PackUse {
  readonly #claims = new Map<string, number>();
  readonly #removals = new Map<string, Promise<void>>();
  readonly #claimedSince = new Set<string>();
  #prunes = 0;

  /** To be called before a pack is sent. Waits where that one is just being removed. */
  async claim(pack: string): Promise<void> {
    this.#claims.set(pack, 1 + (this.#claims.get(pack) ?? 0));
    if (this.#prunes > 0) this.#claimedSince.add(pack);
    await this.#removals.get(pack);
  }

  /** The manifest that names it is written, or never will be. */
  release(pack: string): void {
    const left = (this.#claims.get(pack) ?? 0) - 1;
    if (left > 0) this.#claims.set(pack, left);
    else this.#claims.delete(pack);
  }

  /** A prune, from before it looks at any manifest to its end. */
  async during<T>(prune: () => Promise<T>): Promise<T> {
    this.#prunes++;
    try {
      return await prune();
    } finally {
      this.#prunes--;
      if (this.#prunes === 0) this.#claimedSince.clear();
    }
  }

  /** Removes a pack; false where a save counts on it. */
  async remove(pack: string, work: () => Promise<void>): Promise<boolean> {
    if (this.#claims.has(pack) || this.#claimedSince.has(pack)) return false;
    const removal = work();
    this.#removals.set(
      pack,
      removal.catch(() => undefined),
    );
    try {
      await removal;
    } finally {
      this.#removals.delete(pack);
    }
    return true;
  }
}
