import { join } from 'node:path';

import type { FrozenTrial } from '../../core/frozen-trial.js';
import { recoverChoices } from '../../training/choose-backend.js';

/** File of a study's folder that keeps which backend was chosen for which size of model. */
export const BACKEND_CHOICES = 'backends.json';

/** Takes the choices of backends from the study's trials, which travel with it, where the file beside it was lost. */
export function recoverBackendChoices(trials: readonly FrozenTrial[], studyDir: string): void {
  const choices = new Map<string, { name: string; reason: string }>();
  for (const { userAttrs } of trials) {
    const { backend, backend_key: key, backend_reason: reason } = userAttrs;
    if (typeof backend !== 'string' || typeof key !== 'string' || typeof reason !== 'string') continue;
    // Of one key the first counts: the others followed it.
    if (reason.startsWith('fastest') && !choices.has(key)) choices.set(key, { name: backend, reason });
  }
  recoverChoices(join(studyDir, BACKEND_CHOICES), choices);
}
