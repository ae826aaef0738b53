import { ResweepError } from '../../../core/errors.js';
import type { StoredLayer, StoredWeight } from './layers-model.js';

/** A weight that a layer must have. @throws ResweepError where it is missing */
export function weightOf(layer: StoredLayer, name: string): StoredWeight {
  const weight = layer.weights.get(name);
  if (weight !== undefined) return weight;
  throw new ResweepError('MODEL_UNREADABLE', `The layer ${layer.name} has no weight ${name}.`);
}

/** The same values with their axes in another order. */
export function transpose({ shape, data }: StoredWeight, order: readonly number[]): StoredWeight {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
  const to = order.map((axis) => shape[axis] ?? 1);
  const from = order.map((axis) => strides[axis] ?? 1);
  const result = new Float32Array(data.length);
  const index = new Array<number>(to.length).fill(0);
  let source = 0;
  for (let target = 0; target < result.length; target++) {
    result[target] = data[source] as number;
    for (let axis = to.length - 1; axis >= 0; axis--) {
      index[axis] = (index[axis] as number) + 1;
      source += from[axis] as number;
      if ((index[axis] as number) < (to[axis] as number)) break;
      source -= (from[axis] as number) * (to[axis] as number);
      index[axis] = 0;
    }
  }
  return { shape: to, data: result };
}
