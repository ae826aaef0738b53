import { createRequire } from 'node:module';

import type * as Core from '@tensorflow/tfjs-core';
import type * as Layers from '@tensorflow/tfjs-layers';

import { UsageError } from '../core/errors.js';

/** TensorFlow.js as this folder uses it: the operations, and the layers API. Passed along, so that importing a file loads nothing. */
export interface Tensorflow {
  readonly tf: typeof Core;
  readonly layers: typeof Layers;
}

const require = createRequire(import.meta.url);
let loaded: Tensorflow | undefined;

/**
 * Loads TensorFlow.js once per process (about 0.3 s). No backend is chosen yet.
 * @throws UsageError where the packages, which are optional, are not installed.
 */
export function loadTensorflow(): Tensorflow {
  if (loaded === undefined) {
    const tf = requirePackage('@tensorflow/tfjs-core') as typeof Core;
    // Production mode leaves out the advertisements on the console, and checks that cost time at every operation.
    tf.enableProdMode();
    loaded = { tf, layers: requirePackage('@tensorflow/tfjs-layers') as typeof Layers };
  }
  return loaded;
}

/** A package of TensorFlow.js. @throws UsageError with the command that installs it, where it is missing. */
export function requirePackage(name: string): unknown {
  try {
    return require(name);
  } catch (error) {
    if (!isMissing(error, name)) throw error;
    throw new UsageError(`Training a built-in model needs the package ${name}, which is not installed.`, {
      code: 'TENSORFLOW_MISSING',
      hint: 'Install it with: npm install @tensorflow/tfjs-core @tensorflow/tfjs-layers @tensorflow/tfjs-backend-cpu @tensorflow/tfjs-backend-wasm',
      cause: error,
    });
  }
}

/** Version of an installed package. @throws UsageError where it is missing. */
export function packageVersion(name: string): string {
  return (requirePackage(`${name}/package.json`) as { version: string }).version;
}

/** Path of a file inside an installed package. */
export function packageFile(path: string): string {
  return require.resolve(path);
}

function isMissing(error: unknown, name: string): boolean {
  return error instanceof Error && 'code' in error && error.code === 'MODULE_NOT_FOUND' && error.message.includes(name);
}
