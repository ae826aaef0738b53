import type { Random } from '../core/random.js';
import { completeBasis } from './householder.js';

/** Lower and upper bound of each parameter, in the units in which parents are given. */
export interface Bounds {
  readonly low: ArrayLike<number>;
  readonly high: ArrayLike<number>;
}

/** Makes one child of several parents, numeric parameters only. The child may lie outside of the bounds. */
export interface Crossover {
  readonly nParents: number;
  /**
   * @param parents one vector each
   * @param hasSeveralObjectives decides over defaults of SBX and vSBX
   */
  cross(parents: readonly Float64Array[], bounds: Bounds, hasSeveralObjectives: boolean, random: Random): Float64Array;
}

const EPSILON = 1e-10;

function uniforms(n: number, random: Random): Float64Array {
  const drawn = new Float64Array(n);
  for (let i = 0; i < n; i++) drawn[i] = random.uniform();
  return drawn;
}

/** Each parameter from either parent (Syswerda 1989). */
export function uniformCross(parents: readonly Float64Array[], swappingProb: number, random: Random): Float64Array {
  const [first, second] = parents as readonly [Float64Array, Float64Array];
  return first.map((value, i) => (random.uniform() >= swappingProb ? (second[i] as number) : value));
}

/** BLX-α: uniform in the parents' box, enlarged by α of its width at both sides (Eshelman & Schaffer 1993, eq. 1). */
export function blendCross(parents: readonly Float64Array[], alpha: number, random: Random): Float64Array {
  const [first, second] = parents as readonly [Float64Array, Float64Array];
  const r = uniforms(first.length, random);
  return first.map((value, i) => {
    const low = Math.min(value, second[i] as number);
    const high = Math.max(value, second[i] as number);
    const beyond = alpha * (high - low);
    return low - beyond + (high - low + 2 * beyond) * (r[i] as number);
  });
}

/** Who of two children passes on what: Optuna takes over one child, a gene of which may also be a parent's. */
function pickGenes(
  children: readonly [Float64Array, Float64Array],
  parents: readonly Float64Array[],
  genes: { readonly uniformCrossoverProb: number; readonly useChildGeneProb: number },
  random: Random,
): Float64Array {
  const n = children[0].length;
  const one = new Float64Array(n);
  const other = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const [a, b] = (random.uniform() < genes.useChildGeneProb ? children : parents) as readonly [
      Float64Array,
      Float64Array,
    ];
    const isKept = random.uniform() >= genes.uniformCrossoverProb;
    one[i] = (isKept ? a : b)[i] as number;
    other[i] = (isKept ? b : a)[i] as number;
  }
  return random.uniform() < 0.5 ? one : other;
}

export interface BinaryCrossoverOptions {
  /** Distribution index: the larger, the nearer children are to their parents. @default 2, or 20 with several objectives */
  readonly eta?: number | undefined;
  /** Chance that the two children exchange a gene. @default 0.5 */
  readonly uniformCrossoverProb?: number | undefined;
  /** Chance that a gene is a child's, not a parent's. @default 0.5 */
  readonly useChildGeneProb?: number | undefined;
}

/** SBX with bounds (Deb & Agrawal 1995; Deb & Beyer 2001): children as far from their parents as one-point crossover's would be. */
export function simulatedBinaryCross(
  parents: readonly Float64Array[],
  { low, high }: Bounds,
  options: { readonly eta: number; readonly uniformCrossoverProb: number; readonly useChildGeneProb: number },
  random: Random,
): Float64Array {
  const [first, second] = parents as readonly [Float64Array, Float64Array];
  const power = options.eta + 1;
  const u = uniforms(first.length, random);
  const c1 = new Float64Array(first.length);
  const c2 = new Float64Array(first.length);
  for (let i = 0; i < first.length; i++) {
    const least = Math.min(first[i] as number, second[i] as number);
    const most = Math.max(first[i] as number, second[i] as number);
    const difference = Math.max(most - least, EPSILON);
    const spread = (beta: number): number => {
      const alpha = 2 - beta ** -power;
      const share = u[i] as number;
      return share > 1 / alpha ? (1 / (2 - share * alpha)) ** (1 / power) : (share * alpha) ** (1 / power);
    };
    c1[i] = 0.5 * (least + most - spread(1 + (2 * (least - (low[i] as number))) / difference) * difference);
    c2[i] = 0.5 * (least + most + spread(1 + (2 * ((high[i] as number) - most)) / difference) * difference);
  }
  return pickGenes([c1, c2], parents, options, random);
}

/** vSBX (Ballester & Carter 2003, section 3.2): as SBX, reaching beyond the parents as far as between them. */
export function modifiedBinaryCross(
  parents: readonly Float64Array[],
  options: { readonly eta: number; readonly uniformCrossoverProb: number; readonly useChildGeneProb: number },
  random: Random,
): Float64Array {
  const [first, second] = parents as readonly [Float64Array, Float64Array];
  const n = first.length;
  const exponent = 1 / (options.eta + 1);
  const u = uniforms(n, random);
  const beta1 = u.map((share) => (1 / Math.max(2 * share, EPSILON)) ** exponent);
  const beta2 = u.map((share) => (1 / Math.max(2 * (1 - share), EPSILON)) ** exponent);
  const combine = (a: (i: number) => number, b: (i: number) => number): Float64Array =>
    Float64Array.from({ length: n }, (_, i) => 0.5 * (a(i) * (first[i] as number) + b(i) * (second[i] as number)));
  const one = (i: number): number => beta1[i] as number;
  const two = (i: number): number => beta2[i] as number;
  const c1 =
    random.uniform() <= 0.5
      ? combine(
          (i) => 1 + one(i),
          (i) => 1 - two(i),
        )
      : combine(
          (i) => 1 - one(i),
          (i) => 1 + two(i),
        );
  const c2 =
    random.uniform() <= 0.5
      ? combine(
          (i) => 3 - one(i),
          (i) => two(i) - 1,
        )
      : combine(
          (i) => one(i) - 1,
          (i) => 3 - two(i),
        );
  return pickGenes([c1, c2], parents, options, random);
}

/** SPX: uniform in the simplex of the parents, enlarged by ε about its centre (Tsutsui, Yamamura & Higuchi 1999, eq. 1–5). */
export function simplexCross(
  parents: readonly Float64Array[],
  epsilon: number | undefined,
  random: Random,
): Float64Array {
  const n = parents[0]?.length ?? 0;
  const factor = epsilon ?? Math.sqrt(n + 2);
  const r = uniforms(parents.length - 1, random).map((share, k) => share ** (1 / (k + 1)));
  const centre = Float64Array.from(
    { length: n },
    (_, i) => parents.reduce((sum, parent) => sum + (parent[i] as number), 0) / parents.length,
  );
  return centre.map((g, i) => {
    const vertex = (k: number): number => g + factor * ((parents[k]?.[i] as number) - g);
    let c = 0;
    for (let k = 1; k < parents.length; k++) c = (r[k - 1] as number) * (vertex(k - 1) - vertex(k) + c);
    return vertex(parents.length - 1) + c;
  });
}

/**
 * UNDX: normal about the middle of two parents, along their line as far as they are apart, across it as far as the third is away
 * (Ono & Kobayashi 1997; section 2 of Ono et al., CEC 1999).
 */
export function unimodalNormalCross(
  parents: readonly Float64Array[],
  options: { readonly sigmaXi: number; readonly sigmaEta: number | undefined },
  random: Random,
): Float64Array {
  const [x1, x2, x3] = parents as readonly [Float64Array, Float64Array, Float64Array];
  const n = x1.length;
  const sigmaEta = options.sigmaEta ?? 0.35 / Math.sqrt(n);
  // Variances stand where deviations would be expected, as in Optuna.
  const etas = Float64Array.from({ length: n }, () => random.normal() * sigmaEta ** 2);
  const xi = random.normal() * options.sigmaXi ** 2;
  const direction = x2.map((value, i) => value - (x1[i] as number));
  const length = Math.max(Math.hypot(...direction), EPSILON);
  const unit = direction.map((value) => value / length);
  const child = x1.map((value, i) => (value + (x2[i] as number)) / 2 + xi * (value - (x2[i] as number)));
  if (n === 1) return child;
  const toThird = x3.map((value, i) => value - (x1[i] as number));
  const along = toThird.reduce((sum, value, i) => sum + value * (unit[i] as number), 0);
  const distance = Math.hypot(...toThird.map((value, i) => value - along * (unit[i] as number)));
  for (const [k, vector] of completeBasis(unit).entries()) {
    for (let i = 0; i < n; i++)
      child[i] = (child[i] as number) + distance * (etas[k] as number) * (vector[i] as number);
  }
  return child;
}
