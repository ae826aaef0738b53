import * as z from 'zod';

import type { ConfigRegistry } from '../../src/config/config-schema.js';
import { prunerDefinitions } from '../../src/pruners/pruner-registry.js';

/** A registry with one of each kind of option, apart from what samplers and trainers there are today. */
export const sampleRegistry: ConfigRegistry = {
  samplers: [
    { type: 'random', summary: 'Uniform.', schema: z.object({}) },
    {
      type: 'tpe',
      summary: 'Tree-structured Parzen estimator.',
      schema: z
        .object({
          seed: z.number().int().optional(),
          n_startup_trials: z.int().min(0).default(10),
          multivariate: z.boolean().default(true),
        })
        .strict(),
    },
  ],
  pruners: prunerDefinitions,
  trainers: [
    {
      type: 'mlp-classifier',
      summary: 'Dense layers for classes.',
      schema: z.object({
        optimizer: z.enum(['adam', 'sgd', 'rmsprop']).default('adam'),
        learning_rate: z.number().positive().default(0.001),
        momentum: z.number().min(0).max(1).default(0),
        layers: z.int().min(1).max(16).default(2),
        units: z.int().min(1).default(64),
        epochs: z.int().min(1).default(20),
      }),
      data: z.object({ scaling: z.enum(['standard', 'none']).default('standard') }),
      metrics: [
        { name: 'val_accuracy', goal: 'maximize' },
        { name: 'val_loss', goal: 'minimize' },
      ],
    },
  ],
  destinations: [
    { type: 'folder', summary: 'A folder or a mounted drive.', schema: z.object({ path: z.string().min(1) }) },
    {
      type: 's3',
      summary: 'S3 and compatibles.',
      schema: z.object({ bucket: z.string().min(1), path_style: z.boolean().default(false) }),
    },
  ],
  launchers: [
    {
      type: 'slurm',
      summary: 'A Slurm job array.',
      schema: z.object({ partition: z.string().optional(), gres_flags: z.string().optional() }),
    },
  ],
};

/** A whole valid configuration; `lines` replaces top-level keys or adds them. */
export function configText(replace: Readonly<Record<string, string | undefined>> = {}): string {
  const lines: Record<string, string | undefined> = {
    study: 'digits-mlp',
    backbone: 'mlp',
    metric: '{name: val_accuracy, goal: maximize}',
    trials: '40',
    parameters: `
  optimizer:     {values: [adam, sgd]}
  learning_rate: {min: 1e-4, max: 1e-1, log: true}
  momentum:      {min: 0.0, max: 0.99, when: {optimizer: sgd}}
  layers:        {min: 1, max: 4}
  units:         {min: 16, max: 256, step: 16, repeat: layers}`,
    objective: '{type: tfjs, trainer: mlp-classifier, data: {path: digits.csv, version: 1}}',
    ...replace,
  };
  return Object.entries(lines)
    .flatMap(([key, value]) => (value === undefined ? [] : [`${key}: ${value}\n`]))
    .join('');
}
