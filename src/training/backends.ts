import { dirname } from 'node:path';
import util from 'node:util';

import type * as Wasm from '@tensorflow/tfjs-backend-wasm';

import { messageOf, UsageError } from '../core/errors.js';
import { nativePlace, requireNative } from './native/native-place.js';
import { loadTensorflow, packageFile, requirePackage, type Tensorflow } from './tensorflow.js';
import type { BackendChoice } from './trainer.js';
import { registerWasmKernels } from './wasm-kernels.js';

/** A backend that computes: `node` is the native TensorFlow library, `wasm` is WebAssembly, `cpu` plain JavaScript. */
export const BACKENDS = ['node', 'wasm', 'cpu'] as const;
export type BackendName = (typeof BACKENDS)[number];

/** Names under which TensorFlow.js registers them. */
const REGISTERED: Readonly<Record<BackendName, string>> = { node: 'tensorflow', wasm: 'wasm', cpu: 'cpu' };

const loads = new Map<BackendName, string | undefined>();

/**
 * Loads a backend's package once per process and starts it, without making it the current one for good.
 * @returns undefined where it works, else why not, in one line.
 */
export async function loadBackend(name: BackendName): Promise<string | undefined> {
  if (!loads.has(name)) loads.set(name, await tryBackend(name));
  return loads.get(name);
}

/** Lets the next load of a backend that did not work try again: it was mended meanwhile. */
export function retryBackend(name: BackendName): void {
  if (loads.get(name) !== undefined) loads.delete(name);
}

async function tryBackend(name: BackendName): Promise<string | undefined> {
  const { tf } = loadTensorflow();
  try {
    switch (name) {
      case 'node':
        restoreNodeUtilities();
        process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2';
        requireNodeBackend();
        break;
      case 'wasm': {
        const wasm = requirePackage('@tensorflow/tfjs-backend-wasm') as typeof Wasm;
        wasm.setWasmPaths(`${dirname(packageFile('@tensorflow/tfjs-backend-wasm'))}/`);
        break;
      }
      case 'cpu':
        requirePackage('@tensorflow/tfjs-backend-cpu');
        break;
    }
    if (!(await tf.setBackend(REGISTERED[name]))) throw new Error('it did not start');
    await tf.ready();
    if (name === 'wasm') registerWasmKernels(tf);
    return undefined;
  } catch (error) {
    const missing = error instanceof UsageError && error.code === 'TENSORFLOW_MISSING';
    return missing ? 'is not installed' : `does not load (${messageOf(error).split('\n', 1)[0] ?? ''})`;
  }
}

/** Makes a loaded backend the current one of this process. */
export async function useBackend({ tf }: Tensorflow, name: BackendName): Promise<void> {
  if (tf.getBackend() !== REGISTERED[name]) await tf.setBackend(REGISTERED[name]);
}

/**
 * The backends that `choice` allows and that work here, best for large models first, with one line on each that was passed over.
 * @throws UsageError where a backend is asked for by name that does not work, or none works.
 */
export async function availableBackends(choice: BackendChoice): Promise<{ names: BackendName[]; missing: string[] }> {
  const names: BackendName[] = [];
  const missing: string[] = [];
  for (const name of choice === 'auto' ? BACKENDS : [choice]) {
    const problem = await loadBackend(name);
    if (problem === undefined) names.push(name);
    else missing.push(`backend ${name} ${problem}`);
  }
  if (names.length > 0) return { names, missing };
  throw new UsageError(
    choice === 'auto' ? `No backend works here: ${missing.join('; ')}.` : `The ${missing.join('')}.`,
    {
      code: 'BACKEND_MISSING',
      hint:
        choice === 'node'
          ? 'Build it with: resweep doctor --fix tensorflow. Or set backend: auto to use what there is.'
          : `Install it with: npm install @tensorflow/tfjs-backend-${choice === 'auto' ? 'wasm' : choice}`,
    },
  );
}

/** The one that `resweep doctor --fix tensorflow` built, else the project's own package. */
function requireNodeBackend(): void {
  const { folder, isBuilt } = nativePlace();
  if (isBuilt) requireNative(folder);
  else requirePackage('@tensorflow/tfjs-node');
}

/** Node 23 removed functions that the native package still calls; they must be back before it is first used. */
function restoreNodeUtilities(): void {
  const target = util as unknown as Record<string, unknown>;
  target['isNullOrUndefined'] ??= (value: unknown): boolean => value === null || value === undefined;
  target['isArray'] ??= Array.isArray;
}
