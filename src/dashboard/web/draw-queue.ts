/*
 * Charts are drawn one at a time, those on the screen first, each in a frame of its own and in several steps: between two of them the
 * page answers whoever clicks.
 */

interface Wish {
  readonly place: Element;
  readonly steps: (() => void)[];
}

const wishes = new Set<Wish>();
let isScheduled = false;

/** Draws soon, step by step. Returns what takes the wish back. */
export function drawSoon(place: Element, ...steps: (() => void)[]): () => void {
  const wish = { place, steps };
  wishes.add(wish);
  // The first one need not wait for a frame: there is nothing before it that should be seen.
  if (!isScheduled) schedule(setTimeout);
  return () => {
    wishes.delete(wish);
  };
}

function schedule(soon: (run: () => void) => void): void {
  isScheduled = true;
  soon(() => {
    const [next] = [...wishes].map((wish) => ({ wish, far: distance(wish.place) })).sort((a, b) => a.far - b.far);
    if (next === undefined) {
      isScheduled = false;
      return;
    }
    const { steps } = next.wish;
    const step = steps.shift();
    const isLast = steps.length === 0;
    if (isLast) wishes.delete(next.wish);
    try {
      step?.();
    } catch (error) {
      wishes.delete(next.wish);
      throw error;
    } finally {
      schedule(isLast ? afterFrame : setTimeout);
    }
  });
}

/** After the frame is on the screen, so that each chart is seen as soon as it is drawn. */
function afterFrame(run: () => void): void {
  requestAnimationFrame(() => {
    setTimeout(run);
  });
}

/** Pixels between an element and the screen: 0 where it is on it. */
function distance(element: Element): number {
  const { top, bottom } = element.getBoundingClientRect();
  return Math.max(0, top - innerHeight, -bottom);
}
