import { PercentilePruner, percentilePrunerOptionsSchema, type PercentilePrunerOptions } from './percentile-pruner.js';

/** Prunes a trial whose best value so far is worse than the median of what completed trials reported at the same step. */
export class MedianPruner extends PercentilePruner {
  override readonly name = 'median';

  /** @throws UsageError for options out of range */
  constructor(options: PercentilePrunerOptions = {}) {
    super(50, options);
  }
}

export const medianPrunerDefinition = {
  type: 'median',
  summary: 'Trials worse than the median at the same step are pruned',
  schema: percentilePrunerOptionsSchema,
  create: (options: PercentilePrunerOptions) => new MedianPruner(options),
};
