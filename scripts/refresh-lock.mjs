/**
 * `npm run lock`: makes package-lock.json anew from package.json alone, in an empty folder. A lockfile that grew beside
 * an installed node_modules lacks the optional packages of other platforms, and `npm ci` then refuses it elsewhere.
 */
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { at } from './lib/paths.mjs';
import { npm, runCommand } from './lib/run-command.mjs';
import { red, say } from './lib/say.mjs';

const folder = mkdtempSync(join(tmpdir(), 'resweep-lock-'));
try {
  for (const name of ['package.json', '.npmrc']) copyFileSync(at(name), join(folder, name));
  for (const args of [
    ['install', '--package-lock-only'],
    ['ci', '--dry-run'],
  ]) {
    const { code, output } = await runCommand(...npm(args), { cwd: folder });
    if (code !== 0) {
      say(output);
      say(red(`npm ${args.join(' ')} failed: package-lock.json stays as it was.`));
      process.exitCode = 1;
      break;
    }
  }
  if (process.exitCode === undefined) {
    copyFileSync(join(folder, 'package-lock.json'), at('package-lock.json'));
    say('package-lock.json is new, with the optional packages of every platform.');
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
