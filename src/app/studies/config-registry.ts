import type { ConfigRegistry } from '../../config/config-schema.js';

/** Everything that a configuration can name, gathered from where it stands; loaded when the first configuration is read. */
export async function configRegistry(): Promise<ConfigRegistry> {
  const [{ samplerDefinitions }, { prunerDefinitions }, { TRAINERS }, { destinationKinds }, { launchers }] =
    await Promise.all([
      import('../../samplers/sampler-registry.js'),
      import('../../pruners/pruner-registry.js'),
      import('../../training/trainers.js'),
      import('../../backup/destinations/destination-registry.js'),
      import('../../launch/launcher-registry.js'),
    ]);
  return {
    samplers: samplerDefinitions,
    pruners: prunerDefinitions,
    trainers: TRAINERS,
    destinations: destinationKinds as unknown as ConfigRegistry['destinations'],
    launchers,
  };
}
