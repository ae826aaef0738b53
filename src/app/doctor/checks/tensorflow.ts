import { messageOf } from '../../../core/errors.js';
import type { DoctorCheck } from '../check.js';

/** Which backends built-in models can be trained on. */
export const tensorflowCheck: DoctorCheck = {
  name: 'tensorflow',
  title: 'TensorFlow.js',
  check: async () => {
    const { BACKENDS, loadBackend } = await import('../../../training/backends.js');
    const details: Record<string, string> = {};
    for (const name of BACKENDS) {
      try {
        details[name] = (await loadBackend(name)) ?? 'works';
      } catch (error) {
        details[name] = messageOf(error);
      }
    }
    const working = BACKENDS.filter((name) => details[name] === 'works');
    const text = working.map((name) => NAMES[name]).join(', ');
    if (working.length === 0) {
      return {
        state: 'warning',
        summary: `No backend works (${details['wasm'] ?? ''}); commands and modules can be run all the same.`,
        hint: 'npm install @tensorflow/tfjs-core @tensorflow/tfjs-layers @tensorflow/tfjs-backend-cpu @tensorflow/tfjs-backend-wasm',
        details,
      };
    }
    if (working.includes('node')) return { state: 'good', summary: `Models are trained on: ${text}.`, details };
    return {
      state: 'warning',
      summary: `Models are trained on: ${text}. The native library, faster for large models, ${details['node'] ?? 'is missing'}.`,
      hint: 'resweep doctor --fix tensorflow',
      details,
    };
  },
  fix: async (say) => {
    const { buildNative } = await import('../../../training/native/build-native.js');
    const { folder } = await buildNative(say);
    const { retryBackend } = await import('../../../training/backends.js');
    retryBackend('node');
    say(`The native TensorFlow works (${folder}).`);
  },
};

const NAMES = { node: 'native TensorFlow', wasm: 'WebAssembly', cpu: 'plain JavaScript' } as const;
