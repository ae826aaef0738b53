import type { Destination } from '../../src/backup/destinations/destination.js';

/** A destination of which only the given calls are expected. */
export function stubDestination(calls: Partial<Destination>): Destination {
  const unused = (): never => {
    throw new Error('not asked');
  };
  return {
    name: 'stub',
    type: 'test',
    location: 'nowhere',
    traits: {
      exclusive: 'advisory',
      rename: 'atomic',
      checksum: 'readBack',
      confirms: 'verified',
      mirror: false,
      latencyMs: 1,
    },
    check: unused,
    put: unused,
    get: unused,
    download: unused,
    checksum: unused,
    list: unused,
    remove: unused,
    close: () => Promise.resolve(),
    ...calls,
  };
}
