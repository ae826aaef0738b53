import { z } from 'zod';

import { UsageError } from '../core/errors.js';
import type { Random } from '../core/random.js';
import { constrainedFronts } from '../algorithms/constrained-domination.js';
import {
  associate,
  fillNiches,
  normalizedLosses,
  referencePoints,
  withoutInfinities,
} from '../algorithms/reference-points.js';
import { geneticSchemaShape, withOperators, type NamedOperators } from './crossover-schema.js';
import type { Individual } from './ga-child.js';
import { GeneticSampler, type GeneticSamplerOptions } from './genetic-sampler.js';

export interface NSGAIIISamplerOptions extends GeneticSamplerOptions {
  /** Directions of the front, one number per objective each. @default evenly spread ones, by `dividingParameter` */
  readonly referencePoints?: readonly (readonly number[])[] | undefined;
  /** Parts into which each objective is divided for them. @default 3 */
  readonly dividingParameter?: number | undefined;
}

/**
 * NSGA-III (Deb & Jain, IEEE TEC 2014) with Optuna's options, defaults and attributes, for three objectives and more: of the front
 * that does not fit, members survive that keep each reference line served.
 */
export class NSGAIIISampler extends GeneticSampler {
  readonly name = 'nsga-iii';
  readonly #given: readonly (readonly number[])[] | undefined;
  readonly #divisions: number;

  /** @throws UsageError for options out of range */
  constructor(options: NSGAIIISamplerOptions = {}) {
    super('NSGAIIISampler', options);
    const { dividingParameter = 3 } = options;
    if (!(Number.isInteger(dividingParameter) && dividingParameter >= 1))
      throw new UsageError(`dividingParameter must be a whole number, 1 or more, but got ${dividingParameter}.`);
    this.#given = options.referencePoints;
    this.#divisions = dividingParameter;
  }

  protected selectElite(population: readonly Individual[], random: Random): readonly Individual[] {
    const elite: Individual[] = [];
    for (const front of constrainedFronts(population)) {
      const members = front.map((i) => population[i] as Individual);
      if (elite.length + members.length < this.populationSize) {
        elite.push(...members);
        continue;
      }
      const all = [...elite, ...members];
      const losses = normalizedLosses(withoutInfinities(all.map((individual) => individual.losses)));
      const { closest, distance } = associate(losses, this.#referencesFor(losses[0]?.length ?? 0));
      const wanted = this.populationSize - elite.length;
      for (const i of fillNiches(closest, distance, elite.length, wanted, random)) elite.push(all[i] as Individual);
      break;
    }
    return elite;
  }

  #referencesFor(objectives: number): readonly (readonly number[])[] {
    if (this.#given === undefined) return referencePoints(objectives, this.#divisions);
    const odd = this.#given.find((point) => point.length !== objectives);
    if (odd !== undefined)
      throw new UsageError(`A reference point has ${odd.length} numbers, but the study ${objectives} objectives.`);
    return this.#given;
  }
}

export const nsgaIIISamplerDefinition = {
  type: 'nsga-iii',
  summary: 'Genetic algorithm for three objectives and more, with constraints',
  schema: z
    .object({
      ...geneticSchemaShape,
      reference_points: z
        .array(z.array(z.number()))
        .min(1)
        .optional()
        .describe('Directions of the front, one number per objective each; default: evenly spread ones.'),
      dividing_parameter: z
        .number()
        .int()
        .min(1)
        .default(3)
        .describe('Parts into which each objective is divided for them.'),
    })
    .strict(),
  create: (options: Omit<NSGAIIISamplerOptions, keyof NamedOperators> & NamedOperators) =>
    new NSGAIIISampler(withOperators(options)),
};
