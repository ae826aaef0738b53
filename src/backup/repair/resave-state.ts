import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';

import type { CapturedFile } from '../capture/capture.js';
import { DamagedDataError } from '../chunks/chunk-codec.js';
import { ChunkReader } from '../chunks/chunk-reader.js';
import { PackWriter } from '../chunks/pack-writer.js';
import { DestinationError, type Destination } from '../destinations/destination.js';
import type { DriveCore } from '../drive/drive-core.js';
import { CHUNK_BYTES, DATABASE_CHUNK_BYTES, digestFile, sha256Of } from '../files/file-digest.js';
import { listManifests, loadManifest, targetFolder } from '../format/catalog.js';
import {
  encodeManifest,
  FORMAT,
  FORMAT_VERSION,
  ManifestError,
  type Manifest,
  type ManifestName,
} from '../format/manifest.js';
import { studyContent } from '../format/study-content.js';
import { knownAt } from '../save/known-at-destination.js';
import { storeFiles } from '../save/store-files.js';

/** A state that was brought here from elsewhere, whole. */
export interface FetchedState {
  /** What is said of it where it came from. */
  readonly manifest: Pick<Manifest, 'kind' | 'projectRoot' | 'lineage' | 'study' | 'snapshot' | 'bytes'>;
  readonly files: readonly CapturedFile[];
  /** For people. */
  readonly from: string;
  readonly remove: () => void;
}

/** The state with the same content at another destination, or as a plain copy anywhere; undefined where none has it whole. */
export async function fetchState(
  core: DriveCore,
  damaged: Destination,
  target: string,
  wanted: ManifestName,
  signal: AbortSignal | undefined,
): Promise<FetchedState | undefined> {
  for (const destination of core.destinations) {
    if (destination === damaged) continue;
    try {
      const names = await listManifests(destination, target, { signal });
      for (const { name } of names.filter(({ content }) => content === wanted.content)) {
        const manifest = await loadManifest(destination, target, name, { signal });
        const folder = join(core.temporary, `state-${randomBytes(6).toString('hex')}`);
        try {
          const files = await assemble(destination, manifest, folder, signal);
          const remove = (): void => {
            rmSync(folder, { recursive: true, force: true });
          };
          return { manifest, files, from: destination.name, remove };
        } catch (error) {
          rmSync(folder, { recursive: true, force: true });
          throw error;
        }
      }
    } catch (error) {
      if (!isDamageOrSilence(error)) throw error;
    }
  }
  for (const destination of core.destinations) {
    try {
      const found = await fetchPlainCopy(core, destination, target, wanted, signal);
      if (found !== undefined) return found;
    } catch (error) {
      if (!isDamageOrSilence(error)) throw error;
    }
  }
  return undefined;
}

/** The plain copy of a file whose checksum the damaged manifest's name tells. */
async function fetchPlainCopy(
  core: DriveCore,
  destination: Destination,
  target: string,
  wanted: ManifestName,
  signal: AbortSignal | undefined,
): Promise<FetchedState | undefined> {
  if (!destination.traits.mirror) return undefined;
  const there = await destination.checksum(target, { signal });
  if (there?.sha256.startsWith(wanted.content) !== true) return undefined;
  mkdirSync(core.temporary, { recursive: true });
  const source = join(core.temporary, `state-${randomBytes(6).toString('hex')}`);
  const remove = (): void => {
    rmSync(source, { force: true });
  };
  await destination.download(target, source, { signal });
  const isDatabase = (await core.snapshots?.isDatabase(source)) === true;
  const digest = await digestFile(source, Infinity, signal, isDatabase ? DATABASE_CHUNK_BYTES : CHUNK_BYTES);
  const report = isDatabase ? await core.snapshots?.inspect(source) : undefined;
  if (!digest.sha256.startsWith(wanted.content) || (report?.finished ?? 0) !== wanted.finished) {
    remove();
    return undefined;
  }
  const study = report?.studyName === undefined ? null : studyContent(report);
  const { bytes } = digest;
  return {
    manifest: {
      ...{ kind: 'file', projectRoot: core.projectRoot, lineage: report?.lineage ?? null, study, bytes },
      snapshot: 'full',
    },
    files: [{ path: '', source, digest, modifiedAt: wanted.createdAt }],
    from: `the plain copy on ${destination.name}`,
    remove,
  };
}

function isDamageOrSilence(error: unknown): boolean {
  return error instanceof ManifestError || error instanceof DamagedDataError || error instanceof DestinationError;
}

async function assemble(
  destination: Destination,
  manifest: Manifest,
  folder: string,
  signal: AbortSignal | undefined,
  only?: string,
): Promise<CapturedFile[]> {
  const reader = new ChunkReader(destination, signal);
  const files: CapturedFile[] = [];
  for (const member of await reader.members(manifest)) {
    if (only !== undefined && member.path !== only) continue;
    const source = join(folder, 'content', member.path === '' ? 'file' : member.path);
    mkdirSync(dirname(source), { recursive: true });
    await reader.writeFile(manifest, member, source, () => Promise.resolve(undefined));
    const digest = await digestFile(source, Infinity, signal, member.chunkBytes);
    if (digest.sha256 !== member.sha256) throw new DamagedDataError(`${member.path}: its checksum differs.`);
    files.push({ path: member.path, source, digest, modifiedAt: member.modifiedAt });
  }
  return files;
}

/** Saves a fetched state under the name parts of the damaged one: branch, generation, time. Returns the name of the new manifest. */
export async function resaveState(
  destination: Destination,
  target: string,
  place: ManifestName,
  { manifest: source, files }: FetchedState,
  signal: AbortSignal | undefined,
): Promise<string> {
  const names = await listManifests(destination, target, { signal });
  const others = names.filter(({ name }) => name !== place.name);
  const index = await knownAt(destination, target, others, signal);
  const writer = new PackWriter(destination, index, signal);
  const stored = await storeFiles(files, index, writer, false);
  const { kind, projectRoot, lineage, study, snapshot, bytes } = source;
  const manifest: Manifest = {
    ...{ format: FORMAT, formatVersion: FORMAT_VERSION, path: target, kind, projectRoot },
    createdAt: new Date(place.createdAt).toISOString(),
    branch: place.branch,
    generation: place.generation,
    parent: null,
    owner: { id: place.owner, fence: 0, host: hostname() },
    ...{ snapshot, lineage, study, bytes },
    ...stored,
    origin: 'saved',
  };
  const content = kind === 'file' ? (files[0]?.digest.sha256 ?? '') : place.content;
  const encoded = encodeManifest(manifest, content);
  await destination.put(`${targetFolder(target)}${encoded.name}`, encoded.bytes, {
    sha256: sha256Of(encoded.bytes),
    signal,
  });
  return encoded.name;
}

/** Writes one plain copy again from the newest whole state here or elsewhere. Returns where it came from; undefined where none is whole. */
export async function writeMirror(
  core: DriveCore,
  destination: Destination,
  target: string,
  member: string,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  for (const { name } of await listManifests(destination, target, { signal })) {
    const folder = join(core.temporary, `state-${randomBytes(6).toString('hex')}`);
    try {
      const manifest = await loadManifest(destination, target, name, { signal });
      const [file] = await assemble(destination, manifest, folder, signal, member);
      if (file === undefined) continue;
      const key = member === '' ? target : `${target}/${member}`;
      const { source, digest } = file;
      await destination.put(key, { file: source, bytes: digest.bytes }, { sha256: digest.sha256, signal });
      return name;
    } catch (error) {
      if (error instanceof DestinationError || !isDamageOrSilence(error)) throw error;
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  return undefined;
}
