import { explanationOf } from '../../core/errors.js';
import { coreOf, type Drive } from '../drive/drive.js';
import { DestinationCheck, type VerifyOptions } from './check-destination.js';
import { MISSING, type Damage } from './damage.js';

export type { VerifyOptions } from './check-destination.js';

export interface VerifyReport {
  /** Nothing damaged, and every destination answered. */
  readonly ok: boolean;
  readonly checkedSnapshots: number;
  readonly checkedBytes: number;
  readonly damages: readonly Damage[];
  /** Not read, because it has to be thawed first; each says how. No damage: its checksum is as it must be. */
  readonly frozen: readonly Damage[];
  readonly unreachable: readonly { readonly destination: string; readonly error: string }[];
  readonly durationMs: number;
}

/**
 * Holds what destinations keep against its manifests. Structure: every manifest whole, every pack there with its checksum, the
 * plain copies as the saved states say. Deep: every chunk read, every file assembled and hashed, every database checked for
 * integrity and for the trial count and best value that its manifest says, every archive read to its end.
 */
export async function verifyBackups(drive: Drive, options: VerifyOptions = {}): Promise<VerifyReport> {
  const startedAt = performance.now();
  const core = coreOf(drive);
  const damages: Damage[] = [];
  const frozen: Damage[] = [];
  const unreachable: { destination: string; error: string }[] = [];
  let checkedSnapshots = 0;
  let checkedBytes = 0;
  const chosen = core?.select(options.destination) ?? [];
  // Side by side: one that hangs holds up no other.
  await Promise.all(
    chosen.map(async (destination) => {
      if (core === undefined) return;
      const found: Damage[] = [];
      const run = new DestinationCheck(core, destination, options, found);
      const begun = performance.now();
      let error: string | undefined;
      try {
        await run.all();
      } catch (problem) {
        error = explanationOf(problem);
        unreachable.push({ destination: destination.name, error });
      }
      checkedSnapshots += run.snapshots;
      checkedBytes += run.bytes;
      damages.push(...found);
      frozen.push(...run.frozen);
      const isMissing = run.snapshots === 0 && found.some(({ snapshot }) => snapshot === MISSING);
      const damaged = isMissing ? 'nothing of it is there' : `${found.length} damaged`;
      const finding =
        found.length > 0 ? (isMissing ? 'missing' : 'damaged') : error === undefined ? undefined : 'unchecked';
      const thaw = run.frozen.length === 0 ? '' : ` ${run.frozen.length} frozen.`;
      const cut = error === undefined ? '' : ` It could not be checked to the end: ${error}`;
      core.reporter.emit({
        type: 'verification',
        destination: destination.name,
        bytes: run.bytes,
        durationMs: performance.now() - begun,
        outcome: finding === undefined ? 'ok' : finding === 'unchecked' ? 'warning' : 'failed',
        finding,
        message: `Verified ${destination.name}: ${run.snapshots} snapshots, ${run.bytes} bytes, ${damaged}.${thaw}${cut}`,
      });
    }),
  );
  return {
    ok: damages.length === 0 && unreachable.length === 0,
    checkedSnapshots,
    checkedBytes,
    damages,
    frozen,
    unreachable,
    durationMs: performance.now() - startedAt,
  };
}
