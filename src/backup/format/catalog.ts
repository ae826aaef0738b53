import type { CallOptions, Destination, StoredObject } from '../destinations/destination.js';
import { STORE, unsafePathReason } from '../destinations/object-key.js';
import { sha256Of } from '../files/file-digest.js';
import {
  compareManifests,
  decodeManifest,
  ManifestError,
  parseManifestName,
  type Manifest,
  type ManifestName,
} from './manifest.js';

const LONGEST_ID = 180;

/** Folder of a target's manifests and owners, ending with `/`. */
export function targetFolder(target: string): string {
  const encoded = encodeURIComponent(target);
  const id =
    encoded.length <= LONGEST_ID ? encoded : `${encoded.slice(0, 150)}~${sha256Of(Buffer.from(target)).slice(0, 16)}`;
  return `${STORE}/targets/${id}/`;
}

/** Names of all manifests of a target, newest first. Nothing is read but names. */
export async function listManifests(
  destination: Destination,
  target: string,
  options?: CallOptions,
): Promise<ManifestName[]> {
  const folder = targetFolder(target);
  const { objects } = await destination.list(folder, options);
  return manifestNames(target, objects);
}

/** Those of a listing of the target's folder that name a manifest, newest first. */
export function manifestNames(target: string, objects: readonly StoredObject[]): ManifestName[] {
  const folder = targetFolder(target);
  return objects
    .map((object) => parseManifestName(object.key.slice(folder.length)))
    .filter((name) => name !== undefined)
    .sort(compareManifests);
}

/**
 * The newest manifest of each branch, newest first. Where two owners wrote a branch side by side, for less than a lease, the newest of
 * each: neither history hides the other.
 */
export function branchHeads(names: readonly ManifestName[]): ManifestName[] {
  const writers = [...writersOf(names).values()];
  return writers
    .filter((writer) => !writers.some((other) => beganAfter(other, writer)))
    .map(({ last }) => last)
    .sort(compareManifests);
}

/** Whether what a manifest of these holds is held by a later one of the same branch too. */
export function isContinuedBy(names: readonly ManifestName[], earlier: ManifestName, later: ManifestName): boolean {
  if (later.branch !== earlier.branch || later.generation <= earlier.generation) return false;
  if (later.owner === earlier.owner) return true;
  const writers = writersOf(names);
  const [writer, other] = [writers.get(writerOf(earlier)), writers.get(writerOf(later))];
  return writer !== undefined && other !== undefined && beganAfter(other, writer);
}

/** What one owner wrote of one branch. */
interface BranchWriter {
  readonly first: number;
  readonly last: ManifestName;
}

function writersOf(names: readonly ManifestName[]): ReadonlyMap<string, BranchWriter> {
  const writers = new Map<string, BranchWriter>();
  for (const name of names) {
    const { first, last } = writers.get(writerOf(name)) ?? { first: name.generation, last: name };
    writers.set(writerOf(name), {
      first: Math.min(first, name.generation),
      last: name.generation > last.generation ? name : last,
    });
  }
  return writers;
}

function writerOf({ branch, owner }: ManifestName): string {
  return `${branch} ${owner}`;
}

/** Who began after another's last manifest goes on from it. */
function beganAfter(later: BranchWriter, earlier: BranchWriter): boolean {
  return later.last.branch === earlier.last.branch && later.first > earlier.last.generation;
}

/** @throws ManifestError where it is damaged or gone, DestinationError where it cannot be asked for. */
export async function loadManifest(
  destination: Destination,
  target: string,
  name: string,
  options?: CallOptions,
): Promise<Manifest> {
  const bytes = await destination.get(`${targetFolder(target)}${name}`, options);
  if (bytes === undefined) throw new ManifestError(`Manifest ${name} is gone.`);
  const manifest = decodeManifest(name, bytes);
  if (manifest.path !== target)
    throw new ManifestError(`Manifest ${name} belongs to ${manifest.path}, not to ${target}.`);
  return manifest;
}

/** Whether a target is the wanted one or lies below it; every one where none is wanted. */
export function isWanted(target: string, wanted: string | undefined): boolean {
  return wanted === undefined || target === wanted || target.startsWith(`${wanted}/`);
}

/** Every target that a destination knows, by path. A name that would leave the project was made by no writer of this format. */
export async function listTargets(destination: Destination, options?: CallOptions): Promise<string[]> {
  const { folders } = await destination.list(`${STORE}/targets/`, options);
  const targets: string[] = [];
  for (const id of folders) {
    if (!/~[0-9a-f]{16}$/.test(id) || id.length < 150) {
      const target = decode(id);
      if (target !== undefined) targets.push(target);
      continue;
    }
    // Cut short: the path stands in any whole manifest.
    const { objects } = await destination.list(`${STORE}/targets/${id}/`, options);
    for (const { key } of objects) {
      const name = key.slice(key.lastIndexOf('/') + 1);
      const bytes = parseManifestName(name) === undefined ? undefined : await destination.get(key, options);
      if (bytes === undefined) continue;
      try {
        targets.push(decodeManifest(name, bytes).path);
        break;
      } catch {
        // Damaged; another may be whole.
      }
    }
  }
  return targets.sort();
}

function decode(id: string): string | undefined {
  try {
    const target = decodeURIComponent(id);
    return unsafePathReason(target) === undefined ? target : undefined;
  } catch {
    return undefined;
  }
}
