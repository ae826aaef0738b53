import { KEEP_TIERS, type KeepTier, type StorageClasses } from '../../core/sweep-config.js';
import { FROZEN_CLASSES, type CallOptions, type Destination, type StoredObject } from '../destinations/destination.js';

const STANDARD = 'STANDARD';

/** The class of a tier: its own, or that of the nearest tier before it that has one. */
export function classOf(tier: KeepTier, classes: StorageClasses): string {
  let name = STANDARD;
  for (const each of KEEP_TIERS) {
    name = classes[each] ?? name;
    if (each === tier) break;
  }
  return name;
}

/** Which tier wants each pack: the most wanted of those whose states need it. */
export class PackTiers {
  readonly #tiers = new Map<string, number>();

  add(pack: string, tier: KeepTier): void {
    this.#tiers.set(pack, Math.min(this.#tiers.get(pack) ?? KEEP_TIERS.length, KEEP_TIERS.indexOf(tier)));
  }

  of(pack: string): KeepTier | undefined {
    return KEEP_TIERS[this.#tiers.get(pack) ?? -1];
  }
}

/**
 * Moves packs to the classes that the policy gives to those who need them. What a new state needs is always readable at once: a pack
 * that old and new states share has the class of the new ones. Manifests stay where they are.
 * @returns how many were moved
 */
export async function applyStorageClasses(
  destination: Destination,
  packs: readonly (StoredObject & { readonly sha256: string })[],
  tiers: PackTiers,
  options: CallOptions,
): Promise<number> {
  const classes = destination.policy?.storageClasses;
  const move = destination.setStorageClass;
  if (classes === undefined || move === undefined) return 0;
  let moved = 0;
  for (const { key, sha256, storageClass = STANDARD } of packs) {
    const tier = tiers.of(sha256);
    // What is frozen is left where it is.
    if (tier === undefined || FROZEN_CLASSES.has(storageClass)) continue;
    const wanted = classOf(tier, classes);
    if (wanted === storageClass) continue;
    await move(key, wanted, options);
    moved++;
  }
  return moved;
}
