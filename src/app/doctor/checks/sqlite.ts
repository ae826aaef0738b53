import { createRequire } from 'node:module';
import { dirname } from 'node:path';

import { messageOf } from '../../../core/errors.js';
import { runTool } from '../../../training/native/run-tool.js';
import type { DoctorCheck } from '../check.js';

/** The compiled SQLite library: without it no study can be kept. */
export const sqliteCheck: DoctorCheck = {
  name: 'sqlite',
  title: 'SQLite (better-sqlite3)',
  check: async () => {
    try {
      const { sqliteVersion } = await import('../../../storage/rdb/sqlite-health.js');
      return { state: 'good', summary: `SQLite ${sqliteVersion()}.` };
    } catch (error) {
      const [line = ''] = messageOf(error).split('\n');
      return {
        state: 'bad',
        summary: `The library does not load: ${line}`,
        hint: 'resweep doctor --fix sqlite   (compiles it for this Node; needs python3, make and g++)',
      };
    }
  },
  fix: async (say) => {
    const manifest = createRequire(import.meta.url).resolve('better-sqlite3/package.json');
    say('Compiling better-sqlite3 for this Node: usually about a minute.');
    const cwd = dirname(dirname(dirname(manifest)));
    await runTool('npm', ['rebuild', 'better-sqlite3'], { cwd, purpose: 'Compiling better-sqlite3' });
  },
};
