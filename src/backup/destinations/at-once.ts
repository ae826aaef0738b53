import type { Destination } from './destination.js';

/** Calls shorter than this follow each other. */
const SHORT_MS = 50;
/** Calls under way at the same time to a place that is far away. */
const MOST_AT_ONCE = 8;

/** How many calls to a destination overlap, by what one usually takes. */
export function callsAtOnce({ traits }: Pick<Destination, 'traits'>): number {
  return traits.latencyMs < SHORT_MS ? 1 : MOST_AT_ONCE;
}

/** `work` for every item, `most` at the same time, begun in order. Rejects with the first error, once all that was begun has ended. */
export async function eachAtOnce<T>(items: Iterable<T>, most: number, work: (item: T) => Promise<void>): Promise<void> {
  const left = items[Symbol.iterator]();
  let failed: { readonly error: unknown } | undefined;
  const run = async (): Promise<void> => {
    for (let next = left.next(); next.done !== true && failed === undefined; next = left.next()) {
      try {
        await work(next.value);
      } catch (error) {
        failed ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: most }, run));
  if (failed !== undefined) throw failed.error;
}
