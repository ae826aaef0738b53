import { messageOf } from '../core/errors.js';
import { branchHeads, listManifests, listTargets } from './catalog.js';
import { coreOf, type Drive } from './drive.js';

/** One saved state, as `backup list` shows it. */
export interface ListedBackup {
  readonly destination: string;
  /** Target, relative to the project root. */
  readonly path: string;
  /** For `restore --at`. */
  readonly snapshot: string;
  readonly branch: string;
  readonly generation: number;
  readonly finishedTrials: number;
  /** ISO 8601. */
  readonly createdAt: string;
  /** Newest state of its branch. */
  readonly isHead: boolean;
}

export interface BackupList {
  readonly backups: readonly ListedBackup[];
  /** Destinations that could not be asked. */
  readonly errors: readonly { readonly destination: string; readonly error: string }[];
}

/** Every saved state at every destination, best first for each target; only of one target (or below it) where `path` is given. */
export async function listBackups(
  drive: Drive,
  o: { readonly path?: string | undefined; readonly destination?: string | undefined } = {},
): Promise<BackupList> {
  const core = coreOf(drive);
  if (core === undefined) return { backups: [], errors: [] };
  const wanted = o.path === undefined ? undefined : core.target(o.path);
  const backups: ListedBackup[] = [];
  const errors: { destination: string; error: string }[] = [];
  await Promise.all(
    core.select(o.destination).map(async (destination) => {
      try {
        for (const target of await listTargets(destination)) {
          if (wanted !== undefined && target !== wanted && !target.startsWith(`${wanted}/`)) continue;
          const names = await listManifests(destination, target);
          const heads = new Set(branchHeads(names).map((head) => head.name));
          for (const { name, branch, generation, finished, createdAt } of names) {
            backups.push({
              destination: destination.name,
              path: target,
              snapshot: name,
              branch,
              generation,
              finishedTrials: finished,
              createdAt: new Date(createdAt).toISOString(),
              isHead: heads.has(name),
            });
          }
        }
      } catch (error) {
        errors.push({ destination: destination.name, error: messageOf(error) });
      }
    }),
  );
  return { backups, errors };
}

/** The destinations of a drive, or the one of that name. @throws UsageError for a name that none has */
export function destinationsIn(drive: Drive, name?: string): { readonly name: string; readonly location: string }[] {
  const chosen = coreOf(drive)?.select(name) ?? [];
  return chosen.map((destination) => ({ name: destination.name, location: destination.location }));
}
