import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

import type { DestinationConfig, SweepConfig } from '../../core/sweep-config.js';
import {
  createDestination,
  createDrive,
  DEFAULT_RETENTION,
  EncryptingDestination,
  isDrivePath,
  readEncryptionSecret,
  type BackupEvent,
  type BackupLog,
  type Destination,
  type Drive,
} from '../../backup/index.js';
import { SqliteSnapshotSource } from '../../storage/rdb/sqlite-snapshot.js';

/** A Drive that is mounted on Colab is a destination without being configured. */
const COLAB_DRIVE = '/content/drive/MyDrive';

/** The destinations in force: those configured, or a mounted Drive where there is one; none where backups are off. */
export function destinationsOf(config: SweepConfig): readonly DestinationConfig[] {
  const { enabled, destinations } = config.backup;
  if (!enabled) return [];
  if (destinations.length > 0) return destinations;
  if (!existsSync(COLAB_DRIVE) || !isDrivePath(COLAB_DRIVE)) return [];
  return [
    {
      name: 'drive',
      type: 'folder',
      options: { path: join(COLAB_DRIVE, 'resweep') },
      every: { trials: 1 },
      priority: 0,
      tags: {},
      verify: { deep: false },
      keep: DEFAULT_RETENTION,
    },
  ];
}

/** The drive of a configuration; undefined without destinations. @throws UsageError for options that a destination cannot take */
export function createConfiguredDrive(
  config: SweepConfig,
  projectRoot: string,
  reporting: { log?: BackupLog; onEvent?: (event: BackupEvent) => void } = {},
): Drive | undefined {
  const destinations = createDestinations(config, projectRoot);
  if (destinations.length === 0) return undefined;
  const { mounts } = config.backup;
  return createDrive({ projectRoot, mounts, destinations, snapshotSource: new SqliteSnapshotSource(), ...reporting });
}

/** The destinations in force, ready to be used. @throws UsageError for options that a destination cannot take */
export function createDestinations(config: SweepConfig, projectRoot: string): Destination[] {
  const { mounts } = config.backup;
  return destinationsOf(config).map((destination) => {
    const { type, name, options, project, every, priority, keep, verify, encrypt, storageClass, tags } = destination;
    const policy = { every, priority, keep, verify: { everyMs: verify.every, deep: verify.deep } };
    const plain = createDestination(type, options, {
      ...{ name, projectRoot, project, mounts, policy, storageClass, tags },
      encrypted: encrypt !== undefined,
    });
    if (encrypt === undefined) return plain;
    const secret = readEncryptionSecret(name, encrypt, (path) => resolve(projectRoot, path));
    return new EncryptingDestination(plain, secret);
  });
}
