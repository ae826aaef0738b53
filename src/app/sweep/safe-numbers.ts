/** Up to which number every trial is safe, followed as a copy grows: each finished trial is looked at once. */
export class SafeNumbers {
  /** Numbers above `#upTo` that are saved. */
  readonly #ahead = new Set<number>();
  #count = 0;
  #upTo = -1;

  /** The highest number up to which every trial is among the first `count` that finished; -1 for none. `finished` only grows. */
  upTo(finished: readonly { readonly number: number }[], count: number): number {
    if (count < this.#count) {
      this.#ahead.clear();
      this.#count = 0;
      this.#upTo = -1;
    }
    for (; this.#count < count; this.#count++) {
      const trial = finished[this.#count];
      if (trial === undefined) break;
      this.#ahead.add(trial.number);
    }
    while (this.#ahead.delete(this.#upTo + 1)) this.#upTo++;
    return this.#upTo;
  }
}
