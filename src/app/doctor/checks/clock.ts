import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { DoctorCheck } from '../check.js';
import { outputsFolder } from './outputs-folder.js';

/** Before this version was made. */
const EARLIEST = Date.UTC(2026, 0, 1);
/** Clocks of several machines differ by less than this. */
const TOLERANCE_MS = 2 * 60_000;

/** Whether the clock can be right: leases, ages of backups and the order of events depend on it. */
export const clockCheck: DoctorCheck = {
  name: 'clock',
  title: 'Clock',
  check: (context) => {
    const now = Date.now();
    const shown = new Date(now).toISOString();
    const hint = 'Set the clock: timedatectl set-ntp true (as root).';
    if (now < EARLIEST) {
      return Promise.resolve({ state: 'bad', summary: `It is not ${shown}: resweep is younger than that.`, hint });
    }
    const difference = differenceOfFiles(outputsFolder(context).existing);
    if (difference !== undefined && Math.abs(difference) > TOLERANCE_MS) {
      const minutes = Math.round(Math.abs(difference) / 60_000);
      const way = difference > 0 ? 'ahead of' : 'behind';
      return Promise.resolve({
        state: 'warning',
        summary: `${shown}; the file server's clock is ${minutes} minutes ${way} it.`,
        hint,
      });
    }
    return Promise.resolve({ state: 'good', summary: `${shown}.` });
  },
};

/** How far the clock that dates new files is ahead of ours; undefined where nothing can be written. */
function differenceOfFiles(folder: string): number | undefined {
  let own: string | undefined;
  try {
    own = mkdtempSync(join(folder, '.resweep-clock-'));
    const file = join(own, 'now');
    const before = Date.now();
    writeFileSync(file, '');
    return statSync(file).mtimeMs - before;
  } catch {
    return undefined;
  } finally {
    if (own !== undefined) rmSync(own, { recursive: true, force: true });
  }
}
