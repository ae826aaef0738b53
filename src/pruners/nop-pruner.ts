import { z } from 'zod';

import type { Pruner } from './pruner.js';

/** Never prunes. */
export class NopPruner implements Pruner {
  readonly name = 'nop';

  prune(): boolean {
    return false;
  }
}

export const nopPrunerDefinition = {
  type: 'nop',
  summary: 'No trial is pruned',
  schema: z.object({}).strict(),
  create: () => new NopPruner(),
};
