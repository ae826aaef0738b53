import type * as Core from '@tensorflow/tfjs-core';

import { registerConvolutionGradients } from './wasm/convolution-gradients.js';
import { registerDepthwiseGradients } from './wasm/depthwise-gradients.js';
import { registerMatrixProduct } from './wasm/matrix-product.js';
import { registerSegmentSum } from './wasm/segment-sum.js';

let registered = false;

/** Gives the wasm backend the kernels that training needs and that it lacks or does slowly. Once per process. */
export function registerWasmKernels(tf: typeof Core): void {
  if (registered) return;
  registered = true;
  registerMatrixProduct(tf);
  registerConvolutionGradients(tf);
  registerDepthwiseGradients(tf);
  registerSegmentSum(tf);
}
