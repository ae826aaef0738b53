import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { messageOf } from '../core/errors.js';
import { listManifests, listTargets, loadManifest } from './catalog.js';
import { DamagedDataError, decodeList } from './chunk-codec.js';
import { ChunkReader } from './chunk-reader.js';
import { DestinationError, type Destination } from './destination.js';
import { coreOf, type Drive } from './drive.js';
import type { DriveCore } from './drive-core.js';
import { digestFile } from './file-digest.js';
import type { Manifest, ManifestName } from './manifest.js';
import { packKey } from './pack-writer.js';

export interface VerifyOptions {
  /** Only this target, and what lies below it. */
  readonly path?: string | undefined;
  /** Name of the only destination. */
  readonly destination?: string | undefined;
  /** Read every byte, assemble every file, open every database. */
  readonly deep?: boolean | undefined;
  /** Share of the saved states that is looked at, 0 to 1; the newest of each target always is. @default 1 */
  readonly sample?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Damage {
  readonly destination: string;
  readonly path: string;
  /** Name of a manifest, or `mirror`. */
  readonly snapshot: string;
  readonly problem: string;
}

export interface VerifyReport {
  /** Nothing damaged, and every destination answered. */
  readonly ok: boolean;
  readonly checkedSnapshots: number;
  readonly checkedBytes: number;
  readonly damages: readonly Damage[];
  readonly unreachable: readonly { readonly destination: string; readonly error: string }[];
  readonly durationMs: number;
}

/**
 * Holds what destinations keep against its manifests. Structure: every manifest whole, every pack there with its checksum, the
 * mirror one of the described states. Deep: every chunk read, every file assembled and hashed, every database checked for
 * integrity and for the trial count and best value that its manifest says.
 */
export async function verifyBackups(drive: Drive, options: VerifyOptions = {}): Promise<VerifyReport> {
  const startedAt = performance.now();
  const core = coreOf(drive);
  const damages: Damage[] = [];
  const unreachable: { destination: string; error: string }[] = [];
  let checkedSnapshots = 0;
  let checkedBytes = 0;
  for (const destination of core?.select(options.destination) ?? []) {
    if (core === undefined) continue;
    const run = new DestinationCheck(core, destination, options, damages);
    const begun = performance.now();
    const before = damages.length;
    try {
      await run.all();
    } catch (error) {
      unreachable.push({ destination: destination.name, error: messageOf(error) });
    }
    checkedSnapshots += run.snapshots;
    checkedBytes += run.bytes;
    const found = damages.length - before;
    core.reporter.emit({
      type: 'verification',
      destination: destination.name,
      bytes: run.bytes,
      durationMs: performance.now() - begun,
      outcome: found === 0 && unreachable.length === 0 ? 'ok' : 'failed',
      message: `Verified ${destination.name}: ${run.snapshots} snapshots, ${run.bytes} bytes, ${found} damaged.`,
    });
  }
  return {
    ok: damages.length === 0 && unreachable.length === 0,
    checkedSnapshots,
    checkedBytes,
    damages,
    unreachable,
    durationMs: performance.now() - startedAt,
  };
}

class DestinationCheck {
  readonly #core: DriveCore;
  readonly #destination: Destination;
  readonly #options: VerifyOptions;
  readonly #damages: Damage[];
  /** Packs looked at, with what is wrong with each. */
  readonly #packs = new Map<string, string | undefined>();
  snapshots = 0;
  bytes = 0;

  constructor(core: DriveCore, destination: Destination, options: VerifyOptions, damages: Damage[]) {
    this.#core = core;
    this.#destination = destination;
    this.#options = options;
    this.#damages = damages;
  }

  async all(): Promise<void> {
    const { signal, sample = 1, path } = this.#options;
    const wanted = path === undefined ? undefined : this.#core.target(path);
    await this.#destination.check({ signal });
    for (const target of await listTargets(this.#destination, { signal })) {
      if (wanted !== undefined && target !== wanted && !target.startsWith(`${wanted}/`)) continue;
      const names = await listManifests(this.#destination, target, { signal });
      const known = new Set<string>();
      for (const [index, name] of names.entries()) {
        if (index > 0 && sample < 1 && Math.random() >= sample) continue;
        await this.#snapshot(target, name, known);
      }
      if (sample >= 1) await this.#mirror(target, known);
    }
  }

  async #snapshot(target: string, name: ManifestName, known: Set<string>): Promise<void> {
    this.snapshots++;
    try {
      const manifest = await loadManifest(this.#destination, target, name.name, { signal: this.#options.signal });
      for (const { sha256 } of manifest.packs) {
        const problem = await this.#pack(sha256);
        if (problem !== undefined) throw new DamagedDataError(problem);
      }
      const [member] = manifest.kind === 'file' ? (manifest.members ?? []) : [];
      if (member !== undefined) known.add(member.sha256);
      if (this.#options.deep === true) await this.#deep(manifest);
      else await this.#chain(manifest);
    } catch (error) {
      if (error instanceof DestinationError) throw error;
      this.#damages.push({
        destination: this.#destination.name,
        path: target,
        snapshot: name.name,
        problem: messageOf(error),
      });
    }
  }

  async #pack(sha256: string): Promise<string | undefined> {
    if (!this.#packs.has(sha256)) {
      const found = await this.#destination.checksum(packKey(sha256), { signal: this.#options.signal });
      this.bytes += found?.bytes ?? 0;
      const short = sha256.slice(0, 16);
      const problem =
        found === undefined ? `Pack ${short}… is missing.` : `Pack ${short}… is damaged: its checksum differs.`;
      this.#packs.set(sha256, found?.sha256 === sha256 ? undefined : problem);
    }
    return this.#packs.get(sha256);
  }

  /** Every chunk that the manifest needs lies in a pack that it names. */
  async #chain(manifest: Manifest): Promise<void> {
    const reader = new ChunkReader(this.#destination, this.#options.signal);
    const packs = new Set(manifest.packs.map((pack) => pack.sha256.slice(0, 16)));
    for (const member of await reader.members(manifest)) {
      const lists = member.lists ?? [];
      const places = [...(member.chunks ?? []), ...lists];
      for (const list of lists) places.push(...decodeList(await reader.read(manifest, list), list[1]));
      const lost = places.find(([, pack]) => !packs.has(pack));
      if (lost !== undefined) throw new DamagedDataError(`${member.path}: pack ${lost[1]}… is not listed.`);
    }
  }

  async #deep(manifest: Manifest): Promise<void> {
    const folder = mkdtempSync(join(tmpdir(), 'resweep-verify-'));
    const reader = new ChunkReader(this.#destination, this.#options.signal);
    try {
      for (const member of await reader.members(manifest)) {
        const file = join(folder, randomBytes(6).toString('hex'));
        // No help from the mirror here: the question is whether the chunks are whole.
        await reader.writeFile(manifest, member, file, () => Promise.resolve(undefined));
        const { sha256, bytes } = await digestFile(file);
        this.bytes += bytes;
        if (sha256 !== member.sha256)
          throw new DamagedDataError(`${member.path}: the checksum of the whole file differs.`);
        const { snapshots } = this.#core;
        if (snapshots !== undefined && (await snapshots.isDatabase(file))) {
          const report = await snapshots.inspect(file);
          if (!report.intact && report.sound !== true)
            throw new DamagedDataError(report.problem ?? 'The database is not intact.');
          const { study } = manifest;
          if (study !== null && manifest.kind === 'file' && report.finished !== study.finished) {
            throw new DamagedDataError(`It holds ${report.finished} finished trials, not ${study.finished}.`);
          }
          if (study !== null && manifest.kind === 'file' && (report.best ?? null) !== study.best) {
            throw new DamagedDataError(`Its best value is ${String(report.best)}, not ${String(study.best)}.`);
          }
        }
        rmSync(file, { force: true });
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  /** The plain copy is one of the described states. */
  async #mirror(target: string, known: ReadonlySet<string>): Promise<void> {
    if (!this.#destination.traits.mirror || known.size === 0) return;
    const found = await this.#destination.checksum(target, { signal: this.#options.signal });
    if (found === undefined || known.has(found.sha256)) return;
    this.#damages.push({
      destination: this.#destination.name,
      path: target,
      snapshot: 'mirror',
      problem: 'The plain copy is none of the saved states: damaged, or changed by someone else.',
    });
  }
}
