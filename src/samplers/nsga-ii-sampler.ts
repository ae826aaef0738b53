import { z } from 'zod';

import { byCrowding } from '../algorithms/crowding-distance.js';
import { constrainedFronts } from '../algorithms/constrained-domination.js';
import { geneticSchemaShape, withOperators, type NamedOperators } from './crossover-schema.js';
import type { Individual } from './ga-child.js';
import { GeneticSampler, type GeneticSamplerOptions } from './genetic-sampler.js';

export type NSGAIISamplerOptions = GeneticSamplerOptions;

/**
 * NSGA-II (Deb, Pratap, Agarwal & Meyarivan, IEEE TEC 2002) with Optuna's options, defaults and attributes: whole fronts survive while
 * they fit, of the one that does not the members in the least crowded places. Constraints by constrained domination.
 */
export class NSGAIISampler extends GeneticSampler {
  readonly name = 'nsga-ii';

  /** @throws UsageError for options out of range */
  constructor(options: NSGAIISamplerOptions = {}) {
    super('NSGAIISampler', options);
  }

  protected selectElite(population: readonly Individual[]): readonly Individual[] {
    const elite: Individual[] = [];
    for (const front of constrainedFronts(population)) {
      const members = front.map((i) => population[i] as Individual);
      if (elite.length + members.length < this.populationSize) {
        elite.push(...members);
        continue;
      }
      const order = byCrowding(members.map(({ losses }) => losses));
      for (const i of order.slice(0, this.populationSize - elite.length)) elite.push(members[i] as Individual);
      break;
    }
    return elite;
  }
}

export const nsgaIISamplerDefinition = {
  type: 'nsga-ii',
  summary: 'Genetic algorithm for two or three objectives, with constraints',
  schema: z.object(geneticSchemaShape).strict(),
  create: (options: Omit<NSGAIISamplerOptions, keyof NamedOperators> & NamedOperators) =>
    new NSGAIISampler(withOperators(options)),
};
