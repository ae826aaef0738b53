import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

import { expect, it } from 'vitest';

import { documentedCommands } from '../support/documented-commands.js';

// The front page only shows what these pages say.
it('every command in the documentation is run by a test, or says why not', () => {
  const blocks = documentedCommands();
  expect(blocks.length).toBeGreaterThan(20);
  const unmarked = blocks.filter(
    ({ file, mark, detail }) => file !== 'README.md' && (mark === undefined || (mark === 'not run' && detail === '')),
  );
  expect(unmarked.map(({ file, line }) => `${file}:${line}`)).toEqual([]);
});

it('the configuration reference is current', () => {
  execFileSync(process.execPath, [join(import.meta.dirname, '..', '..', 'scripts', 'write-reference.mjs'), '--check'], {
    stdio: 'pipe',
  });
});
