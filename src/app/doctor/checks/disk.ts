import { accessSync, constants, statfsSync } from 'node:fs';

import type { DoctorCheck } from '../check.js';
import { outputsFolder } from './outputs-folder.js';

const SCARCE_BYTES = 2e9;
const TOO_LITTLE_BYTES = 100e6;

/** Whether studies can be written, and how much fits. */
export const diskCheck: DoctorCheck = {
  name: 'disk',
  title: 'Disk',
  check: (context) => {
    const { outputs, existing } = outputsFolder(context);
    try {
      accessSync(existing, constants.W_OK);
    } catch {
      return Promise.resolve({
        state: 'bad',
        summary: `${existing} cannot be written.`,
        hint: `Give this user the right to write it (chmod u+w '${existing}'), or work in another folder.`,
      });
    }
    const { bavail, bsize } = statfsSync(existing);
    const free = bavail * bsize;
    const wanted = context.sweep?.config.limits.diskFree;
    const summary = `${(free / 1e9).toFixed(1)} GB free under ${outputs}`;
    if (wanted !== undefined && free < wanted) {
      return Promise.resolve({
        state: 'bad',
        summary: `${summary}; limits.disk_free wants ${(wanted / 1e9).toFixed(1)} GB, so no trial would start.`,
        hint: 'resweep clean CONFIG frees what is safely backed up; or lower limits.disk_free.',
      });
    }
    const hint = 'resweep clean CONFIG frees what is safely backed up.';
    if (free < TOO_LITTLE_BYTES) return Promise.resolve({ state: 'bad', summary: `${summary}: too little.`, hint });
    if (free < SCARCE_BYTES) return Promise.resolve({ state: 'warning', summary: `${summary}: little.`, hint });
    return Promise.resolve({ state: 'good', summary: `${summary}.` });
  },
};
