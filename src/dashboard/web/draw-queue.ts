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
  schedule();
  return () => {
    wishes.delete(wish);
  };
}

function schedule(): void {
  if (isScheduled || wishes.size === 0) return;
  isScheduled = true;
  requestAnimationFrame(() => {
    // After the frame is on the screen, so that each chart is seen as soon as it is drawn.
    setTimeout(() => {
      isScheduled = false;
      const [next] = [...wishes].map((wish) => ({ wish, far: distance(wish.place) })).sort((a, b) => a.far - b.far);
      if (next === undefined) return;
      wishes.delete(next.wish);
      try {
        next.wish.draw();
      } finally {
        schedule();
      }
    });
  });
}

/** Pixels between an element and the screen: 0 where it is on it. */
function distance(element: Element): number {
  const { top, bottom } = element.getBoundingClientRect();
  return Math.max(0, top - innerHeight, -bottom);
}
