import { expect, it } from 'vitest';

import { loadBackend, retryBackend } from '../../../src/training/backends.js';
import { temporaryFolder } from '../../training/training-support.js';

it('is found by the process that built it, which had missed it before', async () => {
  const cache = process.env['RESWEEP_CACHE_DIR'];
  process.env['RESWEEP_CACHE_DIR'] = temporaryFolder();
  expect(await loadBackend('node')).toBe('is not installed');
  if (cache === undefined) delete process.env['RESWEEP_CACHE_DIR'];
  else process.env['RESWEEP_CACHE_DIR'] = cache;
  expect(await loadBackend('node')).toBe('is not installed');
  retryBackend('node');
  expect(await loadBackend('node')).toBeUndefined();
});
