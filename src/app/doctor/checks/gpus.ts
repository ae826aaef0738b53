import { gpuCount, gpuEnvironment } from '../../../runner/gpus.js';
import type { DoctorCheck } from '../check.js';

/** Which GPUs trials get; nothing is said where there is none. */
export const gpusCheck: DoctorCheck = {
  name: 'gpus',
  title: 'GPUs',
  check: () => {
    const count = gpuCount();
    const visible = process.env['CUDA_VISIBLE_DEVICES'];
    if (count === 0) return Promise.resolve([]);
    if (gpuEnvironment(0)['CUDA_VISIBLE_DEVICES'] === undefined) {
      return Promise.resolve({
        state: 'warning',
        summary: `${count} here, and CUDA_VISIBLE_DEVICES="${visible ?? ''}" hides ${count === 1 ? 'it' : 'them'} from every trial.`,
        hint: 'Unset CUDA_VISIBLE_DEVICES, or name the GPUs that trials may use: CUDA_VISIBLE_DEVICES=0.',
      });
    }
    const which = visible === undefined ? `${count}` : `${count}, of which trials may use ${visible}`;
    return Promise.resolve({
      state: 'good',
      summary: `${which}; each trial that runs sees one (CUDA_VISIBLE_DEVICES).`,
    });
  },
};
