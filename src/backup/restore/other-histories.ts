import type { Destination } from '../destinations/destination.js';
import { branchHeads, loadManifest } from '../format/catalog.js';
import { containsStudy } from '../format/study-content.js';
import type { Candidate, CandidateSearch } from './restore-candidates.js';
import type { RestoreResult } from './restore-result.js';

/** What was brought back. */
export interface Restored {
  readonly destination: Destination;
  /** Undefined for a plain copy. */
  readonly branch: string | undefined;
  /** Name of its manifest; undefined for a plain copy. */
  readonly name: string | undefined;
  /** Digests of its finished trials by number; undefined for what is no study. */
  readonly digests: ReadonlyMap<number, string> | undefined;
}

/**
 * Other histories than the restored one, each with its best state: the other branches of its destination; and those of another one
 * that hold trials which the restored state lacks. (Every destination begins branches of its own, so usually they are the same history.)
 * Also what another process wrote of the same branch side by side with it, which only its snapshot tells.
 * `passedOver`: names of states that could not be used.
 */
export async function otherHistories(
  search: CandidateSearch,
  target: string,
  restored: Restored,
  passedOver: ReadonlySet<string>,
  signal: AbortSignal | undefined,
): Promise<RestoreResult['otherBranches']> {
  const best = new Map<string, Candidate>();
  for (const candidate of search.candidates) {
    const { branch, name } = candidate.name;
    if (branch !== restored.branch && !best.has(branch) && !passedOver.has(name)) best.set(branch, candidate);
  }
  const others: Candidate[] = [];
  for (const candidate of best.values()) if (await isOther(candidate)) others.push(candidate);
  const beside: Candidate[] = [];
  for (const candidate of sameBranchHeads()) if (await hasOtherTrials(candidate)) beside.push(candidate);
  const described = ({ destination, name }: Candidate): RestoreResult['otherBranches'][number] => ({
    branch: name.branch,
    destination: destination.name,
    finished: name.finished,
  });
  return [
    ...others.map(described),
    ...beside.map((candidate) => ({ ...described(candidate), snapshot: candidate.name.name })),
  ];

  function sameBranchHeads(): Candidate[] {
    const same = search.candidates.filter(
      ({ destination, name }) => destination.name === restored.destination.name && name.branch === restored.branch,
    );
    const heads = new Set(branchHeads(same.map(({ name }) => name)).map(({ name }) => name));
    return same.filter(({ name }) => heads.has(name.name) && name.name !== restored.name && !passedOver.has(name.name));
  }

  async function isOther({ destination, name }: Candidate): Promise<boolean> {
    if (destination.name === restored.destination.name) return true;
    return restored.digests !== undefined && (await hasOtherTrials({ destination, name }));
  }

  async function hasOtherTrials({ destination, name }: Candidate): Promise<boolean> {
    if (restored.digests === undefined) return false;
    try {
      const { study } = await loadManifest(destination, target, name.name, { signal });
      return study === null || !containsStudy(restored.digests, study);
    } catch {
      return true; // Nothing can be said of it, so it is named.
    }
  }
}
