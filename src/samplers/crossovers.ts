import { UsageError } from '../core/errors.js';
import type { Random } from '../core/random.js';
import {
  blendCross,
  modifiedBinaryCross,
  simplexCross,
  simulatedBinaryCross,
  uniformCross,
  unimodalNormalCross,
  type BinaryCrossoverOptions,
  type Bounds,
  type Crossover,
} from '../algorithms/crossover.js';
import { polynomialMutation } from '../algorithms/polynomial-mutation.js';

function requireShare(name: string, value: number, isOpenBelow = false): void {
  if (value >= 0 && value <= 1 && !(isOpenBelow && value === 0)) return;
  throw new UsageError(`${name} must lie in ${isOpenBelow ? '(0, 1]' : '[0, 1]'}, but got ${value}.`);
}

function requireEta(eta: number | undefined): void {
  if (eta !== undefined && !(eta >= 0)) throw new UsageError(`eta must be 0 or more, but got ${eta}.`);
}

/** Each parameter from either of two parents. */
export class UniformCrossover implements Crossover {
  readonly nParents = 2;
  readonly #swappingProb: number;

  /** @param options.swappingProb chance that a parameter comes from the first parent. @default 0.5 */
  constructor(options: { readonly swappingProb?: number | undefined } = {}) {
    this.#swappingProb = options.swappingProb ?? 0.5;
    requireShare('swappingProb', this.#swappingProb);
  }

  cross(parents: readonly Float64Array[], _bounds: Bounds, _hasSeveral: boolean, random: Random): Float64Array {
    return uniformCross(parents, this.#swappingProb, random);
  }
}

/** BLX-α: anywhere in the box of two parents and a little beyond. */
export class BLXAlphaCrossover implements Crossover {
  readonly nParents = 2;
  readonly #alpha: number;

  /** @param options.alpha how far beyond, in widths of the box. @default 0.5 */
  constructor(options: { readonly alpha?: number | undefined } = {}) {
    this.#alpha = options.alpha ?? 0.5;
  }

  cross(parents: readonly Float64Array[], _bounds: Bounds, _hasSeveral: boolean, random: Random): Float64Array {
    return blendCross(parents, this.#alpha, random);
  }
}

abstract class BinaryCrossover implements Crossover {
  readonly nParents = 2;
  readonly #options: BinaryCrossoverOptions;

  constructor(options: BinaryCrossoverOptions = {}) {
    requireEta(options.eta);
    requireShare('uniformCrossoverProb', options.uniformCrossoverProb ?? 0.5);
    requireShare('useChildGeneProb', options.useChildGeneProb ?? 0.5, true);
    this.#options = options;
  }

  protected settings(hasSeveralObjectives: boolean): Required<{ [K in keyof BinaryCrossoverOptions]: number }> {
    const { eta = hasSeveralObjectives ? 20 : 2, uniformCrossoverProb = 0.5, useChildGeneProb = 0.5 } = this.#options;
    return { eta, uniformCrossoverProb, useChildGeneProb };
  }

  abstract cross(parents: readonly Float64Array[], bounds: Bounds, hasSeveral: boolean, random: Random): Float64Array;
}

/** Simulated binary crossover: children near their two parents, within bounds. */
export class SBXCrossover extends BinaryCrossover {
  cross(parents: readonly Float64Array[], bounds: Bounds, hasSeveral: boolean, random: Random): Float64Array {
    return simulatedBinaryCross(parents, bounds, this.settings(hasSeveral), random);
  }
}

/** The modified form of SBX that reaches beyond the parents as far as between them. */
export class VSBXCrossover extends BinaryCrossover {
  cross(parents: readonly Float64Array[], _bounds: Bounds, hasSeveral: boolean, random: Random): Float64Array {
    return modifiedBinaryCross(parents, this.settings(hasSeveral), random);
  }
}

/** Simplex crossover: uniform in the enlarged triangle of three parents. */
export class SPXCrossover implements Crossover {
  readonly nParents = 3;
  readonly #epsilon: number | undefined;

  /** @param options.epsilon how far it is enlarged. @default √(parameters + 2) */
  constructor(options: { readonly epsilon?: number | undefined } = {}) {
    this.#epsilon = options.epsilon;
  }

  cross(parents: readonly Float64Array[], _bounds: Bounds, _hasSeveral: boolean, random: Random): Float64Array {
    return simplexCross(parents, this.#epsilon, random);
  }
}

/** Unimodal normal distribution crossover: normal about the middle of two parents, as wide as a third is away. */
export class UNDXCrossover implements Crossover {
  readonly nParents = 3;
  readonly #sigmaXi: number;
  readonly #sigmaEta: number | undefined;

  /**
   * @param options.sigmaXi spread along the parents' line. @default 0.5
   * @param options.sigmaEta spread across it. @default 0.35 / √parameters
   */
  constructor(options: { readonly sigmaXi?: number | undefined; readonly sigmaEta?: number | undefined } = {}) {
    this.#sigmaXi = options.sigmaXi ?? 0.5;
    this.#sigmaEta = options.sigmaEta;
  }

  cross(parents: readonly Float64Array[], _bounds: Bounds, _hasSeveral: boolean, random: Random): Float64Array {
    return unimodalNormalCross(parents, { sigmaXi: this.#sigmaXi, sigmaEta: this.#sigmaEta }, random);
  }
}

/** Changes one numeric parameter of a child; without one it is drawn anew. */
export interface Mutation {
  mutate(value: number, low: number, high: number, random: Random): number;
}

/** Polynomial mutation: small changes are the likeliest. */
export class PolynomialMutation implements Mutation {
  readonly #eta: number;

  /** @param options.eta the larger, the smaller the changes. @default 20 */
  constructor(options: { readonly eta?: number | undefined } = {}) {
    this.#eta = options.eta ?? 20;
    requireEta(this.#eta);
  }

  mutate(value: number, low: number, high: number, random: Random): number {
    return polynomialMutation(value, low, high, this.#eta, random.uniform());
  }
}
