import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { cacheFolder } from './paths.mjs';
import { withLock } from './lock.mjs';
import { runCommand } from './run-command.mjs';
import { duration, say, ticker } from './say.mjs';

/**
 * A Python with the packages of a requirements file, made once and kept under `.cache/python` (one per content of such
 * files). `RESWEEP_PYTHON` takes its place.
 * @returns {Promise<{ python?: string, problem?: string }>}
 */
export async function pythonWith(requirements) {
  if (process.env.RESWEEP_PYTHON) return { python: process.env.RESWEEP_PYTHON };
  const key = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 8);
  const folder = join(cacheFolder, 'python', key);
  const python = process.platform === 'win32' ? join(folder, 'Scripts', 'python.exe') : join(folder, 'bin', 'python');
  const stamp = join(folder, '.complete');
  if (existsSync(stamp)) return { python };
  return withLock(`python-${key}`, async () => {
    if (existsSync(stamp)) return { python };
    const start = Date.now();
    rmSync(folder, { recursive: true, force: true });
    say(`Installing Python packages into .cache/python/${key} (pip): usually a minute.`);
    const stop = ticker(() => 'installing Python packages');
    try {
      for (const [command, args] of [
        ['python3', ['-m', 'venv', folder]],
        [python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements]],
      ]) {
        const { code, output } = await runCommand(command, args, { env: { PIP_NO_INPUT: '1' } });
        if (code !== 0) {
          const last = output.trim().split('\n').slice(-3).join(' ');
          const hint = /ensurepip|No module named venv/.test(output)
            ? ' Debian, Ubuntu: sudo apt-get install -y python3-venv.'
            : '';
          return { problem: `no Python with ${requirements}: ${last}${hint}` };
        }
      }
    } finally {
      stop();
    }
    writeFileSync(stamp, '');
    say(`  done in ${duration(Date.now() - start)}.`);
    return { python };
  });
}
