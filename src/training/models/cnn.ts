import type * as Layers from '@tensorflow/tfjs-layers';

import type { Activation } from './activations.js';

export const POOLINGS = ['max', 'average', 'stride', 'none'] as const;
export const SUMMARIES = ['flatten', 'average', 'max'] as const;

/**
 * A convolutional network: blocks of convolutions (each with its activation, normalisation before it) that end in a halving of the
 * image, a summary of what is left, dense layers, and the classes.
 */
export interface CnnShape {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** Of each block. */
  readonly filters: readonly number[];
  readonly convolutions: number;
  readonly kernelSize: number;
  readonly separable: boolean;
  /** How a block halves the image: by pooling, by the stride of its last convolution, or not at all. */
  readonly pool: (typeof POOLINGS)[number];
  readonly summary: (typeof SUMMARIES)[number];
  /** Units of the dense layer before the last; 0: none. */
  readonly units: number;
  readonly classes: number;
  readonly activation: Activation;
  readonly batchNorm: boolean;
  /** After the blocks, and after the dense layer. */
  readonly dropout: number;
}

/** Builds the model on the current backend, its kernels zero. */
export function buildCnn({ layers: make, sequential }: typeof Layers, shape: CnnShape): Layers.Sequential {
  const { height, width, channels, activation, batchNorm, pool, convolutions, kernelSize: size } = shape;
  const model = sequential({ name: 'cnn' });
  const zeros = 'zeros' as const;
  const activate = (name: string): void => {
    if (batchNorm) model.add(make.batchNormalization({ name: `normalization_${name}` }));
    model.add(make.activation({ activation, name: `activation_${name}` }));
  };
  shape.filters.forEach((filters, block) => {
    for (let index = 0; index < convolutions; index++) {
      const name = `${block}_${index}`;
      const isLast = index === convolutions - 1;
      const options = {
        filters,
        kernelSize: [size, size] as [number, number],
        strides: pool === 'stride' && isLast ? 2 : 1,
        padding: 'same' as const,
        // The shift of a normalisation does what a bias would do.
        useBias: !batchNorm,
        ...(block === 0 && index === 0 ? { inputShape: [height, width, channels] } : {}),
      };
      // Depth by depth is for many channels; the few of an image itself are mixed at once.
      const isSeparable = shape.separable && !(block === 0 && index === 0);
      model.add(
        isSeparable
          ? make.separableConv2d({
              ...options,
              name: `separable_${name}`,
              depthwiseInitializer: zeros,
              pointwiseInitializer: zeros,
            })
          : make.conv2d({ ...options, name: `conv_${name}`, kernelInitializer: zeros }),
      );
      activate(name);
    }
    const pooling = { poolSize: 2, strides: 2, padding: 'same' as const, name: `pool_${block}` };
    if (pool === 'max') model.add(make.maxPooling2d(pooling));
    if (pool === 'average') model.add(make.averagePooling2d(pooling));
  });
  if (shape.summary === 'flatten') model.add(make.flatten({ name: 'flatten' }));
  else if (shape.summary === 'average') model.add(make.globalAveragePooling2d({ name: 'summary' }));
  else model.add(make.globalMaxPooling2d({ name: 'summary' }));
  const drop = (name: string): void => {
    if (shape.dropout > 0) model.add(make.dropout({ rate: shape.dropout, name }));
  };
  drop('dropout_0');
  if (shape.units > 0) {
    model.add(make.dense({ units: shape.units, useBias: !batchNorm, kernelInitializer: zeros, name: 'dense' }));
    activate('dense');
    drop('dropout_1');
  }
  model.add(make.dense({ units: shape.classes, kernelInitializer: zeros, name: 'output' }));
  model.add(make.softmax({ name: 'probability' }));
  return model;
}

/** Multiplications for one image. */
export function workOfCnn(shape: CnnShape): number {
  let [height, width, channels] = [shape.height, shape.width, shape.channels];
  let work = 0;
  for (const filters of shape.filters) {
    for (let index = 0; index < shape.convolutions; index++) {
      const taps = shape.kernelSize ** 2 * (shape.separable ? 1 : channels);
      work +=
        height * width * (taps + (shape.separable ? channels : 0)) * (shape.separable ? channels + filters : filters);
      channels = filters;
    }
    if (shape.pool !== 'none') [height, width] = [Math.ceil(height / 2), Math.ceil(width / 2)];
  }
  const summary = shape.summary === 'flatten' ? height * width * channels : channels;
  return work + (shape.units > 0 ? summary * shape.units + shape.units * shape.classes : summary * shape.classes);
}
