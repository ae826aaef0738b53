import { explanationOf } from '../../core/errors.js';
import type { KeepConfig } from '../../core/sweep-config.js';
import { callsAtOnce, eachAtOnce } from '../destinations/at-once.js';
import type { Destination } from '../destinations/destination.js';
import type { DriveCore } from '../drive/drive-core.js';
import { coreOf, type Drive } from '../drive/drive.js';
import { isWanted, listManifests, listTargets, loadManifest, targetFolder } from '../format/catalog.js';
import { GarbageNotes } from '../format/garbage-notes.js';
import { keptStates } from '../format/kept-states.js';
import { ManifestError, type ManifestName } from '../format/manifest.js';
import { listPacks, packKey } from '../format/packs.js';
import { removeStaleOwners } from '../ownership/owner-fence.js';
import { DEFAULT_RETENTION, planRetention, type RetentionDecision } from './retention.js';
import { applyStorageClasses, PackTiers } from './storage-classes.js';

export interface PruneOptions {
  /** Only this target, and what lies below it. */
  readonly path?: string | undefined;
  /** Name of the only destination. */
  readonly destination?: string | undefined;
  /** Explain only; nothing is removed. */
  readonly dryRun?: boolean | undefined;
  /** How long a pack that nothing names stays, because a save under way may be about to name it. @default 24 hours */
  readonly graceMs?: number | undefined;
  /** Milliseconds since 1970. */
  readonly now?: (() => number) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What became of one target's states. */
export interface PrunedTarget {
  readonly path: string;
  /** Newest first. */
  readonly decisions: readonly RetentionDecision[];
  /** Why nothing was removed although the rules would allow it: the newest state is not whole. */
  readonly refused?: string | undefined;
}

export interface PrunedDestination {
  readonly destination: string;
  readonly targets: readonly PrunedTarget[];
  readonly removedPacks: number;
  /** Of the removed packs. */
  readonly freedBytes: number;
  /** Packs that nothing names and that stay for their time of grace. */
  readonly waitingPacks: number;
  /** Packs that went to another class of storage. */
  readonly movedPacks: number;
  /** Why packs were not looked at, or the destination could not be asked. */
  readonly error?: string | undefined;
}

export interface PruneReport {
  /** Every destination answered, and no target was refused. */
  readonly ok: boolean;
  readonly dryRun: boolean;
  readonly destinations: readonly PrunedDestination[];
  readonly durationMs: number;
}

const DAY_MS = 86_400_000;

/**
 * Removes saved states that the retention rules need no more, manifest first, then the packs that nothing names. The newest state
 * of a target is held against its packs before an older one goes; where it is not whole, all stay. Never throws because of a
 * destination.
 * @throws UsageError for the name of a destination that there is none of
 */
export async function pruneBackups(drive: Drive, options: PruneOptions = {}): Promise<PruneReport> {
  const startedAt = performance.now();
  const core = coreOf(drive);
  const destinations: PrunedDestination[] = [];
  for (const destination of core?.select(options.destination) ?? []) {
    if (core === undefined) continue;
    destinations.push(await new DestinationPrune(core, destination, options).run());
  }
  return {
    ok: destinations.every(
      ({ error, targets }) => error === undefined && targets.every(({ refused }) => refused === undefined),
    ),
    dryRun: options.dryRun === true,
    destinations,
    durationMs: performance.now() - startedAt,
  };
}

class DestinationPrune {
  readonly #core: DriveCore;
  readonly #destination: Destination;
  readonly #options: PruneOptions;
  readonly #now: number;
  /** Packs that were held against their checksum: whether each is whole. */
  readonly #whole = new Map<string, boolean>();
  /** Packs that manifests removed now have named. */
  readonly #released = new Set<string>();
  /** Packs whose removal was asked for. */
  readonly #gone = new Set<string>();
  readonly #targets: PrunedTarget[] = [];
  #removedPacks = 0;
  #freedBytes = 0;
  #waitingPacks = 0;
  #movedPacks = 0;

  constructor(core: DriveCore, destination: Destination, options: PruneOptions) {
    this.#core = core;
    this.#destination = destination;
    this.#options = options;
    this.#now = (options.now ?? Date.now)();
  }

  async run(): Promise<PrunedDestination> {
    const startedAt = performance.now();
    const { name } = this.#destination;
    let error: string | undefined;
    try {
      await this.#core.packUse(this.#destination).during(() => this.#prune());
    } catch (problem) {
      error = explanationOf(problem);
    } finally {
      if (this.#options.dryRun !== true) this.#core.pruned(this.#destination, this.#gone);
    }
    const removed = this.#targets.flatMap(({ decisions, refused }) =>
      refused === undefined ? decisions.filter(({ keep }) => !keep) : [],
    ).length;
    const refused = this.#targets.filter((target) => target.refused !== undefined);
    const isDryRun = this.#options.dryRun === true;
    if (!isDryRun && (removed > 0 || this.#removedPacks > 0 || refused.length > 0 || error !== undefined)) {
      this.#core.reporter.emitOnce(
        `prune ${name} ${refused.length > 0 || error !== undefined ? 'bad' : String(this.#now)}`,
        {
          type: 'prune',
          destination: name,
          bytes: this.#freedBytes,
          durationMs: performance.now() - startedAt,
          outcome: refused.length > 0 || error !== undefined ? 'warning' : 'ok',
          message: [
            `Pruned ${name}: ${removed} saved states and ${this.#removedPacks} packs (${this.#freedBytes} bytes) removed.`,
            ...refused.map((target) => `${target.path}: ${target.refused ?? ''}`),
            ...(error === undefined ? [] : [error]),
          ].join(' '),
        },
      );
    }
    return {
      destination: name,
      targets: this.#targets,
      removedPacks: this.#removedPacks,
      freedBytes: this.#freedBytes,
      waitingPacks: this.#waitingPacks,
      movedPacks: this.#movedPacks,
      ...(error === undefined ? {} : { error }),
    };
  }

  get #policy(): KeepConfig {
    return this.#destination.policy?.keep ?? DEFAULT_RETENTION;
  }

  async #prune(): Promise<void> {
    const { signal, path } = this.#options;
    const wanted = path === undefined ? undefined : this.#core.target(path);
    await this.#destination.check({ signal });
    const all = await listTargets(this.#destination, { signal });
    for (const target of all) {
      if (isWanted(target, wanted)) await this.#target(target);
    }
    await this.#packs(all);
  }

  async #target(target: string): Promise<void> {
    const { signal, dryRun } = this.#options;
    const names = await listManifests(this.#destination, target, { signal });
    const isMount = this.#destination.traits.confirms === 'handedToMount';
    const policy = this.#policy;
    const kept = await keptStates(this.#destination, target, signal);
    const facts = { kept, unconfirmedSince: isMount ? this.#now - DAY_MS : undefined };
    let decisions = planRetention(names, policy, facts);
    if (decisions.some(({ keep }) => !keep)) {
      decisions = planRetention(names, policy, { ...facts, mirrored: await this.#mirrored(target, names) });
    }
    const going = decisions.filter(({ keep }) => !keep);
    const [newest] = decisions;
    if (going.length === 0 || newest === undefined) {
      this.#targets.push({ path: target, decisions });
      return;
    }
    const problem = await this.#problemOf(target, newest.manifest);
    if (problem !== undefined) {
      const refused = `nothing was removed, because the newest state is not whole: ${problem}`;
      this.#targets.push({ path: target, decisions, refused });
      return;
    }
    this.#targets.push({ path: target, decisions });
    await eachAtOnce(going, callsAtOnce(this.#destination), async ({ manifest }) => {
      for (const pack of await this.#packsOf(target, manifest)) this.#released.add(pack);
      if (dryRun === true) return;
      await this.#destination.remove(`${targetFolder(target)}${manifest.name}`, { signal });
      this.#core.knownPacks.forget(this.#destination, target, manifest.name);
    });
    if (dryRun !== true) await removeStaleOwners(this.#destination, target, this.#now, signal);
  }

  /** The newest state that the plain copy is. */
  async #mirrored(target: string, names: readonly ManifestName[]): Promise<string | undefined> {
    if (!this.#destination.traits.mirror) return undefined;
    const found = await this.#destination.checksum(target, { signal: this.#options.signal });
    return found && names.find(({ content }) => found.sha256.startsWith(content))?.name;
  }

  /** Why a state cannot be restored; undefined where its manifest and every pack match their names. */
  async #problemOf(target: string, { name }: ManifestName): Promise<string | undefined> {
    const { signal } = this.#options;
    try {
      const manifest = await loadManifest(this.#destination, target, name, { signal });
      await eachAtOnce(manifest.packs, callsAtOnce(this.#destination), async ({ sha256 }) => {
        if (this.#whole.has(sha256)) return;
        this.#whole.set(sha256, (await this.#destination.checksum(packKey(sha256), { signal }))?.sha256 === sha256);
      });
      const lost = manifest.packs.find(({ sha256 }) => this.#whole.get(sha256) === false);
      return lost && `pack ${lost.sha256.slice(0, 16)}… is missing or damaged`;
    } catch (error) {
      if (error instanceof ManifestError) return error.message;
      throw error;
    }
  }

  /** Packs that a manifest names; none for one that cannot be read. */
  async #packsOf(target: string, { name }: ManifestName): Promise<readonly string[]> {
    try {
      return await this.#core.knownPacks.of(this.#destination, target, name, { signal: this.#options.signal });
    } catch (error) {
      if (error instanceof ManifestError) return [];
      throw error;
    }
  }

  /** Removes packs that no manifest of any target names: those released now at once, others after their time of grace. */
  async #packs(targets: readonly string[]): Promise<void> {
    const { signal, dryRun, graceMs = DAY_MS } = this.#options;
    // Packs first: what is written after this list was taken is not on it.
    const packs = await listPacks(this.#destination, signal);
    const going = new Set(
      this.#targets.flatMap(({ path, decisions, refused }) =>
        refused === undefined
          ? decisions.filter(({ keep }) => !keep).map(({ manifest }) => `${path}\n${manifest.name}`)
          : [],
      ),
    );
    const named = new Set<string>();
    const tiers = new PackTiers();
    for (const target of targets) {
      const names = await listManifests(this.#destination, target, { signal });
      const plan = planRetention(names, this.#policy);
      await eachAtOnce(plan, callsAtOnce(this.#destination), async ({ manifest: state, tier = 'newest' }) => {
        if (going.has(`${target}\n${state.name}`)) return;
        // One that cannot be read may name anything: then no pack is garbage.
        for (const sha256 of await this.#core.knownPacks.of(this.#destination, target, state.name, { signal })) {
          named.add(sha256);
          tiers.add(sha256, tier);
        }
      });
    }
    const notes = new GarbageNotes(this.#destination, signal);
    await notes.load();
    const waiting: string[] = [];
    await eachAtOnce(packs, callsAtOnce(this.#destination), async ({ sha256, bytes }) => {
      if (named.has(sha256)) return;
      if (!this.#released.has(sha256) && !notes.isRipe(sha256, this.#now, graceMs)) {
        waiting.push(sha256);
        return;
      }
      if (dryRun !== true) {
        const remove = (): Promise<void> => {
          this.#gone.add(sha256);
          return notes.remove(sha256);
        };
        if (!(await this.#core.packUse(this.#destination).remove(sha256, remove))) return;
      }
      this.#removedPacks++;
      this.#freedBytes += bytes;
    });
    this.#waitingPacks = waiting.length;
    if (dryRun === true) return;
    await notes.update(waiting, this.#now);
    this.#movedPacks = await applyStorageClasses(this.#destination, packs, tiers, { signal });
  }
}
