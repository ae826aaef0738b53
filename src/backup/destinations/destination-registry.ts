import { UsageError } from '../../core/errors.js';
import { nearestName } from '../../core/nearest-name.js';
import type { DestinationContext, DestinationKind } from './destination-kind.js';
import type { Destination } from './destination.js';
import { folderDestinationKind } from './folder/folder-destination.js';
import { githubDestinationKind } from './github/github-destination.js';
import { googleDriveDestinationKind } from './google-drive/google-drive-destination.js';
import { s3DestinationKind } from './s3/s3-destination.js';

/** Every kind of destination. */
export const destinationKinds: readonly DestinationKind[] = [
  folderDestinationKind,
  githubDestinationKind,
  googleDriveDestinationKind,
  s3DestinationKind,
];

/**
 * Makes a destination from its configuration.
 * @throws UsageError for an unknown type or options that do not fit.
 */
export function createDestination(type: string, options: unknown, context: DestinationContext): Destination {
  const kind = destinationKinds.find((candidate) => candidate.type === type);
  if (kind !== undefined) return kind.create(options, context);
  const names = destinationKinds.map((candidate) => candidate.type);
  const near = nearestName(type, names);
  throw new UsageError(
    `Destination "${context.name}" has the unknown type "${type}". Allowed: ${names.join(', ')}.`,
    near === undefined ? {} : { hint: `Did you mean "${near}"?` },
  );
}
