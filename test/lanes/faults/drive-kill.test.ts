import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { sha256Of } from '../../../src/backup/files/file-digest.js';
import { exitOf } from '../../support/cli-project.js';
import { DriveBench } from '../../support/drive-destination.js';
import type { DriveRequest } from '../../support/drive-server/drive-server.js';
import { compileProgram } from './compiled-child.js';

const PART = 8 << 20;

describe('google-drive: a process that is killed during an upload', () => {
  let program: ReturnType<typeof compileProgram>;
  beforeAll(() => {
    program = compileProgram('drive-put-child.ts');
  }, 120_000);
  afterAll(() => {
    program.remove();
  });

  it.each([1, 2, 3, 4])('is gone on with by the next one, killed at part %i of 4', async (part) => {
    const bench = await DriveBench.start();
    try {
      const data = randomBytes(3 * PART + 1000);
      const file = join(bench.folder, 'large');
      writeFileSync(file, data);
      const args = [program.file, bench.server.url, bench.credentials(), file, sha256Of(data)];
      const start = (): ChildProcess =>
        spawn(process.execPath, args, {
          stdio: 'inherit',
          env: { ...process.env, XDG_STATE_HOME: join(bench.folder, 'state') },
        });
      const isPart = ({ method, headers }: DriveRequest): boolean =>
        method === 'PUT' && !(headers['content-range'] ?? '').includes('*');
      const victim = start();
      let parts = 0;
      // The server keeps what came; nobody is there to hear of it.
      bench.server.inject({
        keep: true,
        cut: true,
        run: () => victim.kill('SIGKILL'),
        when: (request) => isPart(request) && ++parts === part,
      });
      expect(await exitOf(victim)).toBe('SIGKILL');
      expect(await exitOf(start())).toBe(0);
      const sent = bench.server.requests.filter(isPart).reduce((sum, { requestBytes }) => sum + requestBytes, 0);
      expect(sent).toBe(data.length);
      expect(bench.server.paths()).toEqual(['resweep', 'resweep/checkpoints', 'resweep/checkpoints/large']);
      expect(await bench.destination().checksum('checkpoints/large')).toEqual({
        bytes: data.length,
        sha256: sha256Of(data),
      });
    } finally {
      await bench.close();
    }
  });
});
