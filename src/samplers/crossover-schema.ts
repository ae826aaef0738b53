import { z } from 'zod';

import { camelKeys } from '../core/key-case.js';
import type { Crossover } from '../algorithms/crossover.js';
import {
  BLXAlphaCrossover,
  PolynomialMutation,
  SBXCrossover,
  SPXCrossover,
  UNDXCrossover,
  UniformCrossover,
  VSBXCrossover,
  type Mutation,
} from './crossovers.js';

const binary = {
  eta: z.number().min(0).optional(),
  uniform_crossover_prob: z.number().min(0).max(1).optional(),
  use_child_gene_prob: z.number().gt(0).max(1).optional(),
};

const CROSSOVERS = {
  uniform: (options: object) => new UniformCrossover(options),
  'blx-alpha': (options: object) => new BLXAlphaCrossover(options),
  sbx: (options: object) => new SBXCrossover(options),
  spx: (options: object) => new SPXCrossover(options),
  undx: (options: object) => new UNDXCrossover(options),
  vsbx: (options: object) => new VSBXCrossover(options),
} as const;

type Named<T extends string> = T | { readonly type: T };

const names = Object.keys(CROSSOVERS) as (keyof typeof CROSSOVERS)[];

/** `sbx`, or `{type: sbx, eta: 10}`. */
const crossoverSchema = z.union([
  z.enum(names),
  z.discriminatedUnion('type', [
    z.object({ type: z.literal('uniform'), swapping_prob: z.number().min(0).max(1).optional() }).strict(),
    z.object({ type: z.literal('blx-alpha'), alpha: z.number().optional() }).strict(),
    z.object({ type: z.literal('sbx'), ...binary }).strict(),
    z.object({ type: z.literal('spx'), epsilon: z.number().optional() }).strict(),
    z.object({ type: z.literal('undx'), sigma_xi: z.number().optional(), sigma_eta: z.number().optional() }).strict(),
    z.object({ type: z.literal('vsbx'), ...binary }).strict(),
  ]),
]);

const mutationSchema = z.union([
  z.enum(['polynomial']),
  z.object({ type: z.literal('polynomial'), eta: z.number().min(0).optional() }).strict(),
]);

/** Options of both genetic samplers, as a configuration has them. */
export const geneticSchemaShape = {
  seed: z.number().int().optional(),
  population_size: z.number().int().min(2).default(50).describe('Trials of a generation.'),
  crossover: crossoverSchema.optional().describe('How parents make a child; default: uniform.'),
  crossover_prob: z.number().min(0).max(1).default(0.9).describe('Chance that a child has several parents.'),
  swapping_prob: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe('Chance that a categorical parameter comes from the first parent.'),
  mutation: mutationSchema.optional().describe('How a numeric parameter mutates; default: it is drawn anew.'),
  mutation_prob: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe('Chance that a parameter mutates; default: 1 / number of parameters.'),
};

/** Crossover and mutation as a checked configuration names them. */
export interface NamedOperators {
  readonly crossover?: Named<keyof typeof CROSSOVERS> | undefined;
  readonly mutation?: Named<'polynomial'> | undefined;
}

/** The same options with the operators themselves. */
export function withOperators<T extends NamedOperators>(
  options: T,
): Omit<T, 'crossover' | 'mutation'> & { crossover?: Crossover | undefined; mutation?: Mutation | undefined } {
  const { crossover, mutation, ...rest } = options;
  return {
    ...rest,
    crossover: crossover === undefined ? undefined : createCrossover(crossover),
    mutation: mutation === undefined ? undefined : new PolynomialMutation(optionsOf(mutation)),
  };
}

function createCrossover(named: Named<keyof typeof CROSSOVERS>): Crossover {
  return CROSSOVERS[typeof named === 'string' ? named : named.type](optionsOf(named));
}

function optionsOf(named: Named<string>): object {
  if (typeof named === 'string') return {};
  const { type: _type, ...options } = named;
  return camelKeys(options);
}
