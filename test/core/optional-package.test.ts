import { expect, it } from 'vitest';

import { loadOptional } from '../../src/core/optional-package.js';

it('names the command that installs a package which is missing', async () => {
  const name = 'resweep-no-such-package';
  await expect(loadOptional(name, 'A test', () => import(name) as Promise<object>)).rejects.toMatchObject({
    exitCode: 2,
    message: 'A test needs the package resweep-no-such-package, which is not installed.',
    hint: 'npm install resweep-no-such-package',
  });
});

it('gives back what is there, and passes other errors on', async () => {
  expect(await loadOptional('yaml', 'A test', () => import('yaml'))).toHaveProperty('parse');
  await expect(loadOptional('x', 'A test', () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
});
