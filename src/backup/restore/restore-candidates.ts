import { explanationOf, UsageError } from '../../core/errors.js';
import type { Destination } from '../destinations/destination.js';
import { listManifests } from '../format/catalog.js';
import type { ManifestName } from '../format/manifest.js';

/** A saved state of a target at one destination. */
export interface Candidate {
  readonly destination: Destination;
  readonly name: ManifestName;
}

export interface CandidateSearch {
  readonly candidates: readonly Candidate[];
  /** What each destination said: how many states it has, or why it could not be asked. */
  readonly searched: readonly SearchedDestination[];
}

export interface SearchedDestination {
  readonly destination: string;
  readonly location: string;
  readonly state: 'found' | 'absent' | 'unreachable';
  readonly snapshots: number;
  readonly error?: string | undefined;
}

export interface CandidateFilter {
  /** A time (the newest state up to then), the name of a manifest or its beginning, or `generation:N`. */
  readonly at?: string | undefined;
  readonly branch?: string | undefined;
}

/** Destinations by their `priority`, equal ones as given. */
export function byPriority(destinations: readonly Destination[]): Destination[] {
  return [...destinations].sort((a, b) => (a.policy?.priority ?? 0) - (b.policy?.priority ?? 0));
}

/**
 * Every saved state that may be restored, best first over all destinations: more finished trials before fewer, then later
 * ones. Within one destination its own order holds; equal states come by priority.
 */
export async function findCandidates(
  destinations: readonly Destination[],
  target: string,
  filter: CandidateFilter,
  signal?: AbortSignal,
): Promise<CandidateSearch> {
  const accept = candidateTest(filter);
  const answers = await Promise.all(
    byPriority(destinations).map(async (destination) => {
      const { name, location } = destination;
      try {
        const names = await listManifests(destination, target, { signal });
        const state = names.length > 0 ? ('found' as const) : ('absent' as const);
        const searched = { destination: name, location, state, snapshots: names.length };
        return { destination, names: names.filter(accept), searched };
      } catch (error) {
        const why = explanationOf(error);
        const searched = { destination: name, location, state: 'unreachable' as const, snapshots: 0, error: why };
        return { destination, names: [], searched };
      }
    }),
  );
  const candidates: Candidate[] = [];
  const places = answers.map(() => 0);
  for (;;) {
    let best: { at: number; candidate: Candidate } | undefined;
    answers.forEach(({ destination, names }, at) => {
      const name = names[places[at] ?? 0];
      if (name !== undefined && (best === undefined || isBetter(name, best.candidate.name))) {
        best = { at, candidate: { destination, name } };
      }
    });
    if (best === undefined) break;
    candidates.push(best.candidate);
    places[best.at] = (places[best.at] ?? 0) + 1;
  }
  return { candidates, searched: answers.map((answer) => answer.searched) };
}

function isBetter(a: ManifestName, b: ManifestName): boolean {
  return a.finished > b.finished || (a.finished === b.finished && a.createdAt > b.createdAt);
}

/** Which states are asked for. @throws UsageError for an `at` that is neither a time nor a snapshot. */
export function candidateTest({ at, branch }: CandidateFilter): (name: ManifestName) => boolean {
  const ofBranch = (name: ManifestName): boolean => branch === undefined || name.branch.startsWith(branch);
  if (at === undefined) return ofBranch;
  const generation = /^generation:(\d+)$/.exec(at)?.[1];
  if (generation !== undefined) return (name) => ofBranch(name) && name.generation === Number(generation);
  if (/^[0-9a-f]{8}\.\d/.test(at)) return (name) => ofBranch(name) && name.name.startsWith(at);
  const time = Date.parse(at);
  if (Number.isNaN(time)) {
    throw new UsageError(`"${at}" is neither a time (2026-03-01T12:00:00Z) nor a snapshot (see \`backup list\`).`);
  }
  return (name) => ofBranch(name) && name.createdAt <= time;
}
