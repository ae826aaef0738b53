import type { DoctorCheck } from './check.js';
import { clockCheck } from './checks/clock.js';
import { destinationsCheck } from './checks/destinations.js';
import { diskCheck } from './checks/disk.js';
import { fileSystemCheck } from './checks/file-system.js';
import { gpusCheck } from './checks/gpus.js';
import { nodeCheck } from './checks/node.js';
import { packagesCheck } from './checks/packages.js';
import { sqliteCheck } from './checks/sqlite.js';
import { storageCheck } from './checks/storage.js';
import { tensorflowCheck } from './checks/tensorflow.js';
import { trackersCheck } from './checks/trackers.js';

/** Everything that `resweep doctor` looks at, in order. */
export const DOCTOR_CHECKS: readonly DoctorCheck[] = [
  nodeCheck,
  sqliteCheck,
  tensorflowCheck,
  gpusCheck,
  packagesCheck,
  diskCheck,
  fileSystemCheck,
  clockCheck,
  destinationsCheck,
  storageCheck,
  trackersCheck,
];
