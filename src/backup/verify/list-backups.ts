import { explanationOf } from '../../core/errors.js';
import { callsAtOnce, eachAtOnce } from '../destinations/at-once.js';
import type { Confirmation, Destination } from '../destinations/destination.js';
import { coreOf, type Drive } from '../drive/drive.js';
import { branchHeads, isWanted, listManifests, listTargets, loadManifest } from '../format/catalog.js';
import { ManifestError } from '../format/manifest.js';
import { listPacks } from '../format/packs.js';

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
  /** Size of what was saved; undefined where its manifest cannot be read. */
  readonly bytes: number | undefined;
  /**
   * `verified`: a checksum confirmed every pack when it was sent, and all are there now in their size. `handedToMount`: the same through a
   * mount, upload unconfirmed. `damaged`: the manifest cannot be read, or a pack is missing or of another size.
   */
  readonly verified: Confirmation | 'damaged';
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
        await destination.check();
        // Encrypted sizes are those of the plain bytes; see `EncryptingDestination`.
        const packs = new Map((await listPacks(destination)).map(({ sha256, bytes }) => [sha256, bytes]));
        for (const target of await listTargets(destination)) {
          if (!isWanted(target, wanted)) continue;
          const names = await listManifests(destination, target);
          const heads = new Set(branchHeads(names).map((head) => head.name));
          const facts = new Map<string, Pick<ListedBackup, 'bytes' | 'verified'>>();
          await eachAtOnce(names, callsAtOnce(destination), async ({ name }) => {
            facts.set(name, await factsOf(destination, target, name, packs));
          });
          for (const { name, branch, generation, finished, createdAt } of names) {
            backups.push({
              ...(facts.get(name) ?? { bytes: undefined, verified: 'damaged' }),
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
        errors.push({ destination: destination.name, error: explanationOf(error) });
      }
    }),
  );
  return { backups, errors };
}

async function factsOf(
  destination: Destination,
  target: string,
  name: string,
  packs: ReadonlyMap<string, number>,
): Promise<Pick<ListedBackup, 'bytes' | 'verified'>> {
  try {
    const manifest = await loadManifest(destination, target, name);
    const isWhole = manifest.packs.every(({ sha256, bytes }) => packs.get(sha256) === bytes);
    return { bytes: manifest.bytes, verified: isWhole ? destination.traits.confirms : 'damaged' };
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
    return { bytes: undefined, verified: 'damaged' };
  }
}

/** The destinations of a drive, or the one of that name. @throws UsageError for a name that none has */
export function destinationsIn(drive: Drive, name?: string): Pick<Destination, 'name' | 'type' | 'location'>[] {
  const chosen = coreOf(drive)?.select(name) ?? [];
  return chosen.map((destination) => ({
    name: destination.name,
    type: destination.type,
    location: destination.location,
  }));
}
