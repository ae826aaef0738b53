import { explanationOf } from '../../core/errors.js';
import { coreOf, type Drive } from '../drive/drive.js';
import type { Damage } from '../verify/damage.js';
import { verifyBackups } from '../verify/verify.js';
import { DestinationRepair, type Repaired } from './repair-destination.js';

export type { Repaired } from './repair-destination.js';

export interface RepairOptions {
  /** Only this target, and what lies below it. */
  readonly path?: string | undefined;
  /** Name of the only destination that is repaired; all give what they have. */
  readonly destination?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface RepairReport {
  /** Nothing is damaged any more, and every destination answered. */
  readonly ok: boolean;
  readonly repaired: readonly Repaired[];
  /** What is damaged still. */
  readonly remaining: readonly Damage[];
  readonly unreachable: readonly { readonly destination: string; readonly error: string }[];
  readonly durationMs: number;
}

/**
 * Mends what is damaged at destinations from whatever still holds it: other destinations, plain copies, the study on this machine.
 * Everything is held against its checksum before and after. A saved state that can be had nowhere goes only where a later whole one
 * holds all of its trials; any other stays, and is named.
 * @throws UsageError for the name of a destination that there is none of
 */
export async function repairBackups(drive: Drive, options: RepairOptions = {}): Promise<RepairReport> {
  const startedAt = performance.now();
  const core = coreOf(drive);
  const repaired: Repaired[] = [];
  const unreachable: { destination: string; error: string }[] = [];
  for (const destination of core?.select(options.destination) ?? []) {
    if (core === undefined) continue;
    const before = repaired.length;
    try {
      await new DestinationRepair(core, destination, options, repaired).all();
    } catch (error) {
      unreachable.push({ destination: destination.name, error: explanationOf(error) });
    }
    const count = repaired.length - before;
    if (count === 0) continue;
    core.forgetKnown(destination);
    core.reporter.emit({
      type: 'repair',
      destination: destination.name,
      outcome: 'ok',
      message: `Repaired ${destination.name}: ${count} of what was damaged.`,
    });
  }
  const { path, destination, signal } = options;
  const after = await verifyBackups(drive, { path, destination, signal });
  return {
    ok: after.ok,
    repaired,
    remaining: after.damages,
    unreachable: after.unreachable.length > 0 ? after.unreachable : unreachable,
    durationMs: performance.now() - startedAt,
  };
}
