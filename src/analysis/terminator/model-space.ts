import { SobolSequence } from '../../algorithms/sobol.js';
import type { Column } from '../../algorithms/search-domain.js';
import type { Distribution } from '../../core/distributions.js';
import type { FrozenTrial } from '../../core/frozen-trial.js';
import type { Random } from '../../core/random.js';
import { sharedSpace } from '../importance-evaluator.js';

/** One parameter on the unit interval: half a step beyond its range at both ends, logarithmic where it is. */
interface Axis {
  readonly name: string;
  readonly distribution: Distribution;
  readonly column: Column;
}

/** The parameters that all complete trials share, as a Gaussian process sees them (Optuna's scaling). */
export class ModelSpace {
  readonly #axes: readonly Axis[];

  constructor(complete: readonly FrozenTrial[]) {
    this.#axes = [...sharedSpace(complete, undefined)].map(([name, distribution]) => ({
      name,
      distribution,
      column:
        distribution.kind === 'categorical'
          ? { kind: 'categorical', levels: distribution.choices.length }
          : { kind: 'continuous' },
    }));
  }

  get dimensions(): number {
    return this.#axes.length;
  }

  get columns(): readonly Column[] {
    return this.#axes.map(({ column }) => column);
  }

  pointOf(trial: FrozenTrial): Float64Array {
    return Float64Array.from(this.#axes, ({ name, distribution }) =>
      scale(distribution, trial.internalParams[name] ?? NaN),
    );
  }

  /** Points spread evenly over the space. */
  sample(count: number, random: Random): Float64Array[] {
    const sequence = new SobolSequence(this.dimensions, random);
    return Array.from({ length: count }, (_, i) =>
      sequence.point(i).map((share, j) => {
        const { distribution } = this.#axes[j] as Axis;
        if (distribution.kind === 'categorical') return Math.floor(share * distribution.choices.length);
        return distribution.step === undefined ? share : scale(distribution, nearestStep(distribution, share));
      }),
    );
  }
}

type NumberDistribution = Exclude<Distribution, { kind: 'categorical' }>;

function boundsOf(distribution: NumberDistribution): { low: number; high: number } {
  const half = (distribution.step ?? 0) / 2;
  const low = distribution.low - half;
  const high = distribution.high + half;
  return distribution.log ? { low: Math.log(low), high: Math.log(high) } : { low, high };
}

function scale(distribution: Distribution, internal: number): number {
  if (distribution.kind === 'categorical') return internal;
  const { low, high } = boundsOf(distribution);
  if (high === low) return 0.5;
  return ((distribution.log ? Math.log(internal) : internal) - low) / (high - low);
}

/** The value on the step grid that a share of the range falls to. */
function nearestStep(distribution: NumberDistribution, share: number): number {
  const { low, high } = boundsOf(distribution);
  const raw = share * (high - low) + low;
  const value = distribution.log ? Math.exp(raw) : raw;
  const step = distribution.step ?? 1;
  const steps = Math.floor((value - distribution.low + step / 2) / step);
  return Math.min(distribution.high, Math.max(distribution.low, distribution.low + steps * step));
}
