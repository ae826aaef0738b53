import { messageOf, ResweepError } from '../../../core/errors.js';
import { withoutPassword } from '../../../core/storage-url.js';
import { openStorage } from '../../../storage/open-storage.js';
import type { DoctorCheck } from '../check.js';

const PATIENCE_MS = 5_000;

/** Whether the database of a shared study answers. */
export const storageCheck: DoctorCheck = {
  name: 'storage',
  title: 'Storage',
  check: async ({ sweep }) => {
    const { kind, url } = sweep?.config.storage ?? {};
    if (sweep === undefined || kind !== 'url' || url === undefined) return [];
    const shown = withoutPassword(url);
    try {
      const storage = await openStorage(url, { readOnly: true, patienceMs: PATIENCE_MS });
      try {
        const studies = await storage.listStudies();
        return { state: 'good', summary: `${shown} answers; ${studies.length} studies.` };
      } finally {
        await storage.close();
      }
    } catch (error) {
      return {
        state: 'bad',
        summary: `${shown}: ${sweep.loaded.redact(messageOf(error))}`,
        hint:
          (error instanceof ResweepError ? error.hint : undefined) ?? 'Is the server running, and the address right?',
      };
    }
  },
};
