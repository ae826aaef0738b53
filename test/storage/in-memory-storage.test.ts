import { InMemoryStorage } from '../../src/storage/in-memory-storage.js';
import { storageContract } from '../contracts/storage-contract.js';

storageContract('memory', () =>
  Promise.resolve({
    storage: new InMemoryStorage(),
    again: undefined,
    cleanUp: () => Promise.resolve(),
  }),
);
