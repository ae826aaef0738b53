import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { openStorage } from '../../src/storage/open-storage.js';
import { storageContract } from '../contracts/storage-contract.js';

storageContract('SQLite', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'resweep-storage-'));
  const path = join(folder, 'study.db');
  return {
    storage: await openStorage(path),
    again: () => openStorage(`sqlite:///${path}`),
    cleanUp: () => {
      rmSync(folder, { recursive: true, force: true });
      return Promise.resolve();
    },
  };
});
