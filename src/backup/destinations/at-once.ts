import type { Destination } from './destination.js';

/** Calls shorter than this follow each other. */
const SHORT_MS = 50;
/** Calls under way at the same time to a place that is far away. */
const MOST_AT_ONCE = 8;

/** How many calls to a destination overlap, by what one usually takes. */
export function callsAtOnce({ traits }: Pick<Destination, 'traits'>): number {
  return traits.latencyMs < SHORT_MS ? 1 : MOST_AT_ONCE;
}

export interface AtOnce<T> {
  /** Items under way at the same time. */
  readonly most: number;
  /** What one item takes of `room`, as bytes of memory. */
  readonly weigh?: ((item: T) => number) | undefined;
  /** What all that are under way may take together; an item that takes more goes alone. @default Infinity */
  readonly room?: number | undefined;
}

/** `work` for every item, begun in order. Rejects with the first error, once all that was begun has ended. */
export async function eachAtOnce<T>(
  items: Iterable<T>,
  limits: number | AtOnce<T>,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const { most, weigh = () => 0, room = Infinity }: AtOnce<T> = typeof limits === 'number' ? { most: limits } : limits;
  const underWay = new Set<Promise<void>>();
  let taken = 0;
  let failed: { readonly error: unknown } | undefined;
  for (const item of items) {
    const weight = weigh(item);
    while (underWay.size >= most || (underWay.size > 0 && taken + weight > room)) await Promise.race(underWay);
    if (failed !== undefined) break;
    taken += weight;
    const run = work(item)
      .catch((error: unknown) => {
        failed ??= { error };
      })
      .finally(() => {
        taken -= weight;
        underWay.delete(run);
      });
    underWay.add(run);
  }
  await Promise.all(underWay);
  if (failed !== undefined) throw failed.error;
}
