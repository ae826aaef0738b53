import { EncryptingDestination } from '../../src/backup/encrypting-destination.js';
import { RetryingDestination } from '../../src/backup/retrying-destination.js';
import type { Destination } from '../../src/backup/destination.js';
import { destinationContract } from '../contracts/destination-contract.js';
import { DriveBench } from '../support/drive-destination.js';

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
