import * as z from 'zod';

import type { ComponentOptions } from '../core/sweep-config.js';
import { LAUNCH_STAGES, type LaunchStage } from './launcher.js';

const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** A value that stands alone in a line of a script or a manifest. */
export const word = (description: string, example?: string): z.ZodString => {
  const schema = z
    .string()
    .regex(/^[^\s'"`\\#]+$/)
    .describe(description);
  return example === undefined ? schema : schema.meta({ examples: [example] });
};

export const count = (description: string): z.ZodInt => z.int().min(1).describe(description);

/** Keys that every engine has. */
export const commonKeys = {
  stages: z
    .array(z.enum(LAUNCH_STAGES))
    .optional()
    .describe('What runs once the sweep is done; absent: select, train, convert for built-in trainers, else nothing.')
    .meta({ examples: [['select', 'train', 'convert']] }),
  env: z
    .record(z.string().regex(VARIABLE), z.union([z.string(), z.number(), z.boolean()]).transform(String))
    .default({})
    .describe('Variables of the workers’ environment, no secrets.'),
};

/** How resweep and the shell are reached on machines that see the project’s folder. */
export const commandKeys = {
  command: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe('How resweep is called there; absent: by the very files that run here.')
    .meta({ examples: [['npx', 'resweep']] }),
  setup: z
    .array(z.string().min(1))
    .default([])
    .describe('Lines of shell before anything else.')
    .meta({ examples: [['module load cuda']] }),
};

/** What those keys give. */
export interface CommonOptions {
  readonly stages?: readonly LaunchStage[];
  readonly env: Readonly<Record<string, string>>;
  readonly command?: readonly string[];
  readonly setup: readonly string[];
}

/** Stages in their order, each once. */
export function stagesOf(options: ComponentOptions, isBuiltIn: boolean): readonly LaunchStage[] {
  const { stages } = options as unknown as CommonOptions;
  const wanted = stages ?? (isBuiltIn ? (['select', 'train', 'convert'] as const) : []);
  return LAUNCH_STAGES.filter((stage) => wanted.includes(stage));
}
