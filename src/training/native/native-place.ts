import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';

import { packageVersion } from '../tensorflow.js';

/** TensorFlow whose library is used: the newest of those tried that needs no newer system. */
export const TENSORFLOW_VERSION = '2.15.1';

/** Where a native TensorFlow that we built lies: outside of `node_modules`, so that no installation removes it. */
export interface NativePlace {
  readonly folder: string;
  /** Version of the package `@tensorflow/tfjs-node`, the same as tfjs-core's. */
  readonly version: string;
  /** Whether it was built to its end. */
  readonly isBuilt: boolean;
}

/** `RESWEEP_CACHE_DIR`, else the user's cache folder. */
export function nativePlace(env: NodeJS.ProcessEnv = process.env): NativePlace {
  const cache = env['RESWEEP_CACHE_DIR'] ?? join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'resweep');
  const version = packageVersion('@tensorflow/tfjs-core');
  const name = `tfjs-node-${version}-tensorflow-${TENSORFLOW_VERSION}-${process.platform}-${process.arch}`;
  const folder = join(cache, name);
  return { folder, version, isBuilt: existsSync(doneFile(folder)) };
}

/** Written last. */
export function doneFile(folder: string): string {
  return join(folder, '.built');
}

/** Loads the package that was built there. TensorFlow.js keeps its engine and kernels in one place per process, so it joins ours. */
export function requireNative(folder: string): unknown {
  return createRequire(join(folder, 'package.json'))('@tensorflow/tfjs-node');
}
