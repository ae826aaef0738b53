import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { OUTPUTS_FOLDER } from '../../../core/study-paths.js';
import type { DoctorContext } from '../check.js';

/** Where studies are or will be kept, and the nearest folder of it that exists. */
export function outputsFolder({ projectRoot }: DoctorContext): { outputs: string; existing: string } {
  const outputs = join(projectRoot, OUTPUTS_FOLDER);
  let existing = outputs;
  while (!existsSync(existing) && dirname(existing) !== existing) existing = dirname(existing);
  return { outputs, existing };
}
