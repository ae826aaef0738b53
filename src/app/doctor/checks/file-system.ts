import { join } from 'node:path';

import type { DoctorCheck } from '../check.js';
import { outputsFolder } from './outputs-folder.js';

/** Whether outputs/ lies on a file system whose locks SQLite can rely on. */
export const fileSystemCheck: DoctorCheck = {
  name: 'filesystem',
  title: 'File system',
  check: async (context) => {
    const { outputs, existing } = outputsFolder(context);
    const { unsafeFileSystemOf } = await import('../../../storage/rdb/sqlite-health.js');
    const name = unsafeFileSystemOf(join(existing, 'study.db'));
    if (name === undefined) return { state: 'good', summary: `${outputs} is on a local disk.` };
    return {
      state: 'warning',
      summary: `${outputs} is on ${name}, where SQLite's locks and renames are not reliable.`,
      hint: 'Work in a folder on a local disk, and name this place as a destination: backup: {destinations: [{name: mount, type: folder, path: …}]}',
    };
  },
};
