import { spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

import { CliProject, exitOf } from '../../support/cli-project.js';
import { DriveServer } from '../../support/drive-server/drive-server.js';

const MAIN = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));
const hasFaketime = spawnSync('faketime', ['--version']).status === 0;

describe.skipIf(!hasFaketime)('a machine whose clock is wrong, and Google Drive', () => {
  for (const wrong of ['+3h', '-3h']) {
    it(`by ${wrong}: the service account's assertion is corrected, the sweep is backed up and comes back`, async () => {
      const server = await DriveServer.start();
      const account = server.serviceAccount();
      const drive = server.state.addDrive('Team', [account['client_email'] ?? '']);
      const project = new CliProject({
        config: `backup: { destinations: [{ name: far, type: google-drive, drive: "${drive}", credentials: account.json, root_url: "${server.url}" }] }`,
      });
      try {
        writeFileSync(join(project.folder, 'account.json'), JSON.stringify(account), { mode: 0o600 });
        const state = join(project.folder, 'state');
        const args = ['run', project.config, '--trials', '4', '--json'];
        const child = spawn('faketime', ['-f', wrong, process.execPath, MAIN, ...args], {
          cwd: project.folder,
          stdio: ['ignore', 'pipe', 'ignore'],
          env: { ...process.env, RESWEEP_ENVIRONMENT: 'local', XDG_STATE_HOME: state },
        });
        let output = '';
        child.stdout.on('data', (data: Buffer) => (output += data.toString()));
        expect(await exitOf(child), output).toBe(0);
        expect(JSON.parse(output)).toMatchObject({
          trials: { complete: 4 },
          backup: { destinations: [{ name: 'far', error: null }] },
        });
        const back = project.start('restore', project.config, '--to', join(project.folder, 'back'));
        expect(await exitOf(back), back.output()).toBe(0);
      } finally {
        await server.close();
        project.remove();
      }
    });
  }
});
