import { availableParallelism, freemem, totalmem } from 'node:os';

import type { DoctorCheck } from '../check.js';

const OLDEST = [20, 19] as const;

/** Node's version, processors and memory. */
export const nodeCheck: DoctorCheck = {
  name: 'node',
  title: 'Node',
  check: () => {
    const { node, modules } = process.versions;
    const [major = 0, minor = 0] = node.split('.').map(Number);
    const isGood = major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
    const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;
    const machine = `${process.platform} ${process.arch}, ${availableParallelism()} cores, ${gigabytes(totalmem())}`;
    return Promise.resolve({
      state: isGood ? 'good' : 'bad',
      summary: `${node} on ${machine}${isGood ? '' : `; resweep needs ${OLDEST.join('.')} or newer`}.`,
      hint: isGood ? undefined : 'Install a newer Node from https://nodejs.org, or by nvm: nvm install 22',
      details: { binaryInterface: modules, executable: process.execPath, freeMemory: gigabytes(freemem()) },
    });
  },
};
