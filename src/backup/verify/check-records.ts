import type { Destination } from '../destinations/destination.js';
import { STORE } from '../destinations/object-key.js';
import { targetFolder } from '../format/catalog.js';
import { isGarbageNote, readGarbageNote } from '../format/garbage-notes.js';
import { keepState, readMark } from '../format/kept-states.js';
import { parseManifestName } from '../format/manifest.js';
import { isOwnerRecord, readOwnerRecord } from '../ownership/owner-fence.js';

/** A small object beside manifests and packs that is not what it must be. */
export interface DamagedRecord {
  readonly key: string;
  readonly problem: string;
  /** Makes it good; undefined where nothing can. Returns what was done. */
  readonly repair?: (() => Promise<string>) | undefined;
}

/** Owners' records, marks of states that stay, and notes of garbage: each held against its form. @throws DestinationError */
export async function damagedRecords(
  destination: Destination,
  targets: readonly string[],
  signal?: AbortSignal,
): Promise<DamagedRecord[]> {
  const options = { signal };
  const found: DamagedRecord[] = [];
  const remove = (key: string, done: string) => async (): Promise<string> => {
    await destination.remove(key, options);
    return done;
  };
  for (const { key, problem } of (await destination.checkKeys?.(options)) ?? []) {
    const repair = async (): Promise<string> => {
      await destination.checkKeys?.({ ...options, mend: true });
      return 'the place of it that is whole';
    };
    found.push({ key, problem, repair });
  }
  for (const target of targets) {
    const folder = targetFolder(target);
    const { objects } = await destination.list(folder, options);
    const names = objects.map(({ key }) => key.slice(folder.length));
    for (const name of names) {
      const key = folder + name;
      if (isOwnerRecord(name) && (await isDamaged(key, (bytes) => readOwnerRecord(bytes) !== undefined))) {
        found.push({
          ...{ key, problem: "The owner's record is damaged: who writes here cannot be told." },
          repair: remove(key, 'removed: an owner that is alive writes it again within a third of its lease'),
        });
      }
      const check = /^kept-([0-9a-f]{16})\.json$/.exec(name)?.[1];
      if (check === undefined || !(await isDamaged(key, (bytes) => readMark(bytes) !== undefined))) continue;
      const state = names.map((other) => parseManifestName(other)).find((other) => other?.check === check);
      const repair = async (): Promise<string> => {
        if (state === undefined) return remove(key, 'removed: the state that it marks is gone')();
        await keepState(destination, target, state, signal);
        return 'its name';
      };
      found.push({ key, problem: 'The mark of a state that stays is damaged; its name counts all the same.', repair });
    }
  }
  const garbage = `${STORE}/garbage/`;
  for (const { key } of (await destination.list(garbage, options)).objects) {
    if (!isGarbageNote(key) || !(await isDamaged(key, (bytes) => readGarbageNote(bytes) !== undefined))) continue;
    const repair = remove(key, 'removed: the next prune notes its packs again');
    found.push({ key, problem: 'The note of garbage is damaged.', repair });
  }
  return found;

  async function isDamaged(key: string, isWhole: (bytes: Uint8Array) => boolean): Promise<boolean> {
    const bytes = await destination.get(key, options);
    return bytes !== undefined && !isWhole(bytes);
  }
}
