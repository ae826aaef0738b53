import type { DoctorCheck } from './check.js';
import { tensorflowCheck } from './checks/tensorflow.js';

/** Everything that `resweep doctor` looks at, in order. */
export const DOCTOR_CHECKS: readonly DoctorCheck[] = [tensorflowCheck];
