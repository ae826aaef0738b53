/** Closed rings around all places of a grid where the value is at least `level`, in grid coordinates (column, row). */
export type Ring = readonly (readonly [number, number])[];

/**
 * Marching squares with linear interpolation (Lorensen & Cline 1987, in two dimensions). The grid is taken to fall to nothing beyond its
 * edge, so every ring closes; what is inside lies to the left, so holes turn the other way.
 */
export function contourRings(z: readonly (readonly number[])[], level: number): Ring[] {
  const rows = z.length;
  const columns = z[0]?.length ?? 0;
  const value = (x: number, y: number): number => z[y]?.[x] ?? -Infinity;
  // By the edge that a piece begins on: beyond the border several points may share one place, but never one edge.
  const pieces = new Map<string, readonly [Crossing, Crossing]>();
  for (let y = -1; y < rows; y++) {
    for (let x = -1; x < columns; x++) {
      for (const piece of cellPieces(x, y, value, level)) pieces.set(piece[0].edge, piece);
    }
  }
  const rings: Ring[] = [];
  while (pieces.size > 0) {
    let [piece] = pieces.values();
    const ring: (readonly [number, number])[] = [];
    while (piece !== undefined) {
      ring.push(piece[0].at);
      pieces.delete(piece[0].edge);
      piece = pieces.get(piece[1].edge);
    }
    if (ring.length > 2) rings.push(ring);
  }
  return rings;
}

/** Where a ring crosses an edge of the grid. */
interface Crossing {
  readonly edge: string;
  readonly at: readonly [number, number];
}

/** Which edges of a cell its pieces join, by the corners that are inside (1 bottom left, 2 bottom right, 4 top right, 8 top left). */
const PIECES: readonly (readonly (readonly [Side, Side])[])[] = [
  [],
  [['bottom', 'left']],
  [['right', 'bottom']],
  [['right', 'left']],
  [['top', 'right']],
  [
    ['bottom', 'left'],
    ['top', 'right'],
  ],
  [['top', 'bottom']],
  [['top', 'left']],
  [['left', 'top']],
  [['bottom', 'top']],
  [
    ['right', 'bottom'],
    ['left', 'top'],
  ],
  [['right', 'top']],
  [['left', 'right']],
  [['bottom', 'right']],
  [['left', 'bottom']],
  [],
];

type Side = 'bottom' | 'right' | 'top' | 'left';

/** Directed pieces within the cell whose lower left corner is (x, y). */
function cellPieces(
  x: number,
  y: number,
  value: (x: number, y: number) => number,
  level: number,
): (readonly [Crossing, Crossing])[] {
  const [bl, br, tr, tl] = [value(x, y), value(x + 1, y), value(x + 1, y + 1), value(x, y + 1)];
  const inside = (corner: number): number => (corner >= level ? 1 : 0);
  const shape = inside(bl) | (inside(br) << 1) | (inside(tr) << 2) | (inside(tl) << 3);
  const crossing: Readonly<Record<Side, () => Crossing>> = {
    bottom: () => ({ edge: `h${x} ${y}`, at: [x + share(bl, br, level), y] }),
    top: () => ({ edge: `h${x} ${y + 1}`, at: [x + share(tl, tr, level), y + 1] }),
    left: () => ({ edge: `v${x} ${y}`, at: [x, y + share(bl, tl, level)] }),
    right: () => ({ edge: `v${x + 1} ${y}`, at: [x + 1, y + share(br, tr, level)] }),
  };
  return (PIECES[shape] ?? []).map(([from, to]) => [crossing[from](), crossing[to]()] as const);
}

/** Where between two corners the level lies; at the inner corner where the other is beyond the grid. */
function share(a: number, b: number, level: number): number {
  if (a === -Infinity) return 1;
  if (b === -Infinity) return 0;
  return a === b ? 0.5 : (level - a) / (b - a);
}
