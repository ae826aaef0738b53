import { messageOf, ResweepError } from '../../../core/errors.js';
import { createDestinations } from '../../backup/create-drive.js';
import type { CheckResult, DoctorCheck } from '../check.js';

/** Longest wait for one destination. */
const BOUND_MS = 20_000;

/** Whether each destination of the configuration answers, and takes what it is given. */
export const destinationsCheck: DoctorCheck = {
  name: 'destinations',
  title: 'Backup destinations',
  check: async ({ sweep, projectRoot }) => {
    if (sweep === undefined) return [];
    const { config } = sweep;
    if (!config.backup.enabled) {
      return { state: 'warning', summary: 'Backups are switched off.', hint: 'Remove backup.enabled: false' };
    }
    const destinations = createDestinations(config, projectRoot);
    if (destinations.length === 0) {
      return {
        state: 'warning',
        summary: 'There is none: a lost disk would be a lost study.',
        hint: 'Add one under backup.destinations; docs/destinations.md lists the kinds.',
      };
    }
    return Promise.all(
      destinations.map(async (destination): Promise<CheckResult> => {
        const title = `Destination ${destination.name}`;
        const at = `${destination.type}, ${destination.location}`;
        try {
          await destination.check({ signal: AbortSignal.timeout(BOUND_MS) });
          return { title, state: 'good', summary: `${at}: reachable.` };
        } catch (error) {
          const hint = error instanceof ResweepError ? error.hint : undefined;
          return {
            title,
            state: 'bad',
            summary: `${at}: ${sweep.loaded.redact(messageOf(error))}`,
            hint:
              hint ??
              'Check its address, its credentials and the network; docs/destinations.md says what each kind needs.',
          };
        }
      }),
    );
  },
};
