/*
 * Charts are drawn one at a time, those on the screen first, each in a frame of its own: between two of them the page answers whoever
 * clicks.
 */

interface Wish {
  readonly place: Element;
  readonly draw: () => void;
}

const wishes = new Set<Wish>();
let isScheduled = false;

/** Draws soon. Returns what takes the wish back. */
export function drawSoon(place: Element, draw: () => void): () => void {
  const wish = { place, draw };
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
    wishes.delete(next.wish);
    try {
      next.wish.draw();
    } finally {
      schedule(afterFrame);
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
