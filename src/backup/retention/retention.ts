import { KEEP_TIERS, type KeepConfig, type KeepTier } from '../../core/sweep-config.js';
import { branchHeads } from '../format/catalog.js';
import type { ManifestName } from '../format/manifest.js';

/** What is kept where nothing is configured. */
export const DEFAULT_RETENTION: KeepConfig = {
  newest: 10,
  days: 14,
  weeks: 8,
  months: 12,
  milestones: [10, 100, 1_000, 10_000, 100_000],
};

/** What becomes of one saved state, and why. */
export interface RetentionDecision {
  readonly manifest: ManifestName;
  readonly keep: boolean;
  /** Every rule that keeps it; for one that goes, the one sentence that says why none does. */
  readonly reasons: readonly string[];
  /** The most wanted of the tiers that keep it; undefined for one that goes. */
  readonly tier?: KeepTier | undefined;
}

export interface RetentionFacts {
  /** Name of the newest state that is known to be whole: it stays, whatever the rules say. */
  readonly lastGood?: string | undefined;
  /** Name of the state that the plain copy holds, which vouches for it. */
  readonly mirrored?: string | undefined;
  /** `check` of states that are marked to stay: files of them were freed on the machine. */
  readonly kept?: ReadonlySet<string> | undefined;
  /** States saved since then are not confirmed yet (a mount took them): they and what they follow stay. Milliseconds since 1970. */
  readonly unconfirmedSince?: number | undefined;
}

const DAY_MS = 86_400_000;

/**
 * Decides which saved states of one target stay. A pure function of names, policy and facts; no clock is read, so a machine whose
 * clock is wrong removes nothing that another would keep. Periods are counted where there are states (as `restic forget` counts
 * them), in UTC: a study that rested for a year keeps the days on which it ran.
 * @returns one decision for each, newest first
 */
export function planRetention(
  names: readonly ManifestName[],
  policy: KeepConfig,
  facts: RetentionFacts = {},
): RetentionDecision[] {
  const order = [...names].sort((a, b) => b.generation - a.generation || b.createdAt - a.createdAt || compare(a, b));
  const reasons = new Map<string, string[]>(order.map(({ name }) => [name, []]));
  const tiers = new Map<string, number>();
  const keep = (manifest: ManifestName, why: string, tier: KeepTier = 'newest'): void => {
    reasons.get(manifest.name)?.push(why);
    tiers.set(manifest.name, Math.min(tiers.get(manifest.name) ?? KEEP_TIERS.length, KEEP_TIERS.indexOf(tier)));
  };

  order.slice(0, Math.max(1, policy.newest)).forEach((manifest, index) => {
    keep(manifest, index === 0 ? 'newest' : `newest ${index + 1}`);
  });
  const byBranch = groupByBranch(order);
  const heads = branchHeads(names);
  for (const head of heads) if (heads.length > 1) keep(head, `newest of branch ${head.branch}`);
  for (const states of byBranch.values()) {
    for (const milestone of policy.milestones) {
      const first = states.findLast(({ finished }) => finished >= milestone);
      if (first !== undefined) keep(first, `first with ${milestone.toLocaleString('en')} trials`, 'milestones');
    }
  }
  const byTime = [...order].sort((a, b) => b.createdAt - a.createdAt || b.generation - a.generation || compare(a, b));
  keepPeriods(byTime, policy.days, dayOf, (state, period) => {
    keep(state, `last of day ${period}`, 'days');
  });
  keepPeriods(byTime, policy.weeks, weekOf, (state, period) => {
    keep(state, `last of week ${period}`, 'weeks');
  });
  keepPeriods(byTime, policy.months, monthOf, (state, period) => {
    keep(state, `last of month ${period}`, 'months');
  });
  const { lastGood, mirrored, kept, unconfirmedSince } = facts;
  for (const manifest of order) {
    if (manifest.name === lastGood) keep(manifest, 'last one known to be whole');
    if (kept?.has(manifest.check) === true) keep(manifest, 'local files of it were freed');
    if (manifest.name === mirrored) keep(manifest, 'the plain copy is this one');
    if (unconfirmedSince !== undefined && manifest.createdAt >= unconfirmedSince)
      keep(manifest, 'upload not confirmed yet');
  }
  return order.map((manifest) => {
    const why = reasons.get(manifest.name) ?? [];
    return why.length > 0
      ? { manifest, keep: true, reasons: why, tier: KEEP_TIERS[tiers.get(manifest.name) ?? 0] }
      : {
          manifest,
          keep: false,
          reasons: [`not among the newest ${policy.newest}, and no period or milestone needs it`],
        };
  });
}

/** Keeps the last state of each of the newest `count` periods. */
function keepPeriods(
  newestFirst: readonly ManifestName[],
  count: number,
  periodOf: (time: number) => string,
  keep: (manifest: ManifestName, period: string) => void,
): void {
  const seen = new Set<string>();
  for (const manifest of newestFirst) {
    const period = periodOf(manifest.createdAt);
    if (seen.has(period)) continue;
    if (seen.size >= count) break;
    seen.add(period);
    keep(manifest, period);
  }
}

function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

/** The Monday on which the week begins. */
function weekOf(time: number): string {
  const sinceMonday = (new Date(time).getUTCDay() + 6) % 7;
  return dayOf(time - sinceMonday * DAY_MS);
}

function monthOf(time: number): string {
  return dayOf(time).slice(0, 7);
}

function groupByBranch(states: readonly ManifestName[]): Map<string, ManifestName[]> {
  const groups = new Map<string, ManifestName[]>();
  for (const state of states) {
    const group = groups.get(state.branch);
    if (group === undefined) groups.set(state.branch, [state]);
    else group.push(state);
  }
  return groups;
}

function compare(a: ManifestName, b: ManifestName): number {
  return a.name < b.name ? -1 : 1;
}
