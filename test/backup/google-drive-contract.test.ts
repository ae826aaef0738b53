import { EncryptingDestination } from '../../src/backup/encryption/encrypting-destination.js';
import { RetryingDestination } from '../../src/backup/destinations/retrying-destination.js';
import type { Destination } from '../../src/backup/destinations/destination.js';
import { backupContract } from '../contracts/backup-contract.js';
import { destinationContract } from '../contracts/destination-contract.js';
import { DriveBench } from '../support/drive-destination.js';
import type { DriveRequest } from '../support/drive-server/drive-server.js';

const IDENTITY = 'AGE-SECRET-KEY-15R0TJ5RNYYMSYC5KJ6ENNHVSGX0DQPQ8Q9XR7YQ3ZEJR0HGQLLSSNE8RG2';

type Wrap = (destination: Destination) => Destination;

const plain: Wrap = (destination) => destination;
const retrying: Wrap = (destination) => new RetryingDestination(destination, { retries: 2, minDelayMs: 1 });
const encrypted: Wrap = (destination) => new EncryptingDestination(retrying(destination), { identity: IDENTITY });

for (const [name, wrap, shared] of [
  ['google-drive', plain, false],
  ['google-drive, retrying', retrying, false],
  ['google-drive, retrying, encrypted', encrypted, false],
  ['google-drive, shared drive of a service account', retrying, true],
] as const) {
  destinationContract(name, async () => {
    const bench = await DriveBench.start();
    const login = shared ? bench.server.serviceAccount() : bench.server.login();
    const drive = shared ? bench.server.state.addDrive('Team', [login['client_email'] ?? '']) : undefined;
    const open = (): Destination => wrap(bench.destination({ drive }, login));
    return { destination: open(), again: open, cleanUp: () => bench.close() };
  });
}

backupContract('google-drive', async () => {
  const bench = await DriveBench.start();
  const { server } = bench;
  return {
    open: () => bench.destination({ name: 'far' }),
    // Into the trash, by a person.
    goes: () => {
      for (const item of server.state.items.values()) if (item.name === 'resweep') item.trashedItself = true;
    },
    saysGone: /went to the trash meanwhile\. Everything is sent anew/,
    becomesReadOnly: () => {
      const when = ({ method, path }: DriveRequest): boolean => method !== 'GET' && path !== '/token';
      server.inject({ status: 403, reason: 'insufficientFilePermissions', when, times: Infinity });
    },
    cleanUp: () => bench.close(),
  };
});
