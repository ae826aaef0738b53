import { openStorage } from '../../../src/storage/open-storage.js';
import { storageContract } from '../../contracts/storage-contract.js';
import { newDatabase, SERVERS } from '../../support/server-databases.js';

for (const server of SERVERS) {
  storageContract(server, async () => {
    const database = await newDatabase(server);
    return {
      storage: await openStorage(database.url),
      again: () => openStorage(database.url),
      limits: { times: server === 'MySQL' ? 'seconds' : 'micro', maxStep: 2 ** 31 - 1 },
      cleanUp: () => database.drop(),
    };
  });
}
