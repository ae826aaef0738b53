import type { Destination } from '../destinations/destination.js';
import { sha256Of } from '../files/file-digest.js';
import { targetFolder } from './catalog.js';

const KEPT = /^kept-([0-9a-f]{16})\.json$/;

/**
 * Marks a saved state for good: files of it were freed on the machine, so that later states of the folder lack them. No rule of
 * retention removes it. @throws DestinationError
 */
export async function keepState(
  destination: Destination,
  target: string,
  state: { readonly name: string; readonly check: string },
  signal?: AbortSignal,
): Promise<void> {
  const note = { format: 'resweep-kept', snapshot: state.name, reason: 'files of it were freed on the machine' };
  const body = Buffer.from(`${JSON.stringify(note)}\n`);
  await destination.put(`${targetFolder(target)}kept-${state.check}.json`, body, { sha256: sha256Of(body), signal });
}

/** Name of the state that a mark names; undefined where it is damaged. */
export function readMark(bytes: Uint8Array): string | undefined {
  try {
    const { format, snapshot } = JSON.parse(Buffer.from(bytes).toString('utf8')) as Record<string, unknown>;
    return format === 'resweep-kept' && typeof snapshot === 'string' ? snapshot : undefined;
  } catch {
    return undefined;
  }
}

/** `check` of every state of a target that is marked so; told by names alone. @throws DestinationError */
export async function keptStates(
  destination: Destination,
  target: string,
  signal?: AbortSignal,
): Promise<ReadonlySet<string>> {
  const folder = targetFolder(target);
  const { objects } = await destination.list(folder, { signal });
  return new Set(objects.flatMap(({ key }) => KEPT.exec(key.slice(folder.length))?.[1] ?? []));
}
