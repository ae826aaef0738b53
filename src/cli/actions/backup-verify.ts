import { UsageError } from '../../core/errors.js';
import type { JsonValue } from '../../core/json.js';
import { parseShare, SHARE_FORM } from '../../config/units.js';
import type { VerifyReport } from '../../app/backup/archive-commands.js';
import { MISSING, repairSweepBackups, verifySweepBackups } from '../../app/backup/backup-commands.js';
import type { BackupArguments } from '../arguments.js';
import { formatBytes, formatDuration, logTo, ofDestination, type Output } from '../output.js';

type WithConfig = BackupArguments & { readonly config: string };

/** `resweep backup verify CONFIG`. */
export async function verify(args: WithConfig, output: Output): Promise<void> {
  const sample = args.sample === undefined ? undefined : parseShare(args.sample);
  if (args.sample !== undefined && sample === undefined) {
    throw new UsageError(`--sample must be ${SHARE_FORM}, but got "${args.sample}".`);
  }
  const report = await verifySweepBackups({
    configPath: args.config,
    set: args.set,
    deep: args.deep,
    sample,
    all: args.all,
    destination: args.destination,
    log: logTo(output),
  });
  if (args.repair && report.damages.length > 0) {
    for (const damage of report.damages) output.info(damageLine(damage, output));
    return repair(args, output);
  }
  showVerified(report, output);
  const missing = report.damages.filter(isMissing).length;
  if (report.damages.length > missing)
    output.print(`resweep backup repair ${args.config}   mends it from what is whole elsewhere`);
  if (missing > 0) output.print(`resweep backup now ${args.config}   saves it there; then verify once more`);
}

function isMissing({ snapshot }: VerifyReport['damages'][number]): boolean {
  return snapshot === MISSING;
}

/** `resweep backup repair CONFIG`. */
export async function repair(args: WithConfig, output: Output): Promise<void> {
  const { config: configPath, set, all, destination } = args;
  const report = await repairSweepBackups({ configPath, set, all, destination, log: logTo(output) });
  if (output.json) output.document(report as unknown as JsonValue);
  for (const { destination: name, path, what, from } of report.repaired) {
    output.print(`${output.style('green', 'mended')}   ${name}: ${path} (${what}) from ${from}`);
  }
  for (const damage of report.remaining) output.print(damageLine(damage, output));
  for (const lost of report.unreachable)
    output.warn(`It could not be looked after: ${ofDestination(lost.destination, lost.error)}`);
  const unknown = report.unreachable.map(({ destination: name }) => name).join(', ');
  const left =
    report.remaining.length > 0
      ? `${report.remaining.length} damaged still`
      : unknown === ''
        ? 'nothing is damaged now'
        : `nothing is known to be damaged; what lies on ${unknown} was not looked at`;
  output.print(`${report.repaired.length} mended, ${left} (${formatDuration(report.durationMs)}).`);
  if (report.remaining.length > 0) {
    output.print(`resweep backup now ${configPath}   saves the study as it is here, whole, beside what is damaged`);
    process.exitCode = 3;
  } else if (!report.ok) process.exitCode = 1;
}

function damageLine(damage: VerifyReport['damages'][number], output: Output): string {
  const { destination, path, snapshot, problem } = damage;
  if (isMissing(damage)) return `${output.style('red', 'missing')}  ${destination}: ${path || 'all'}: ${problem}`;
  return `${output.style('red', 'damaged')}  ${destination}: ${path} (${snapshot}): ${problem}`;
}

function foundText(damages: VerifyReport['damages']): string {
  const missing = damages.filter(isMissing).length;
  const damaged = `${damages.length - missing} damaged`;
  return missing === 0 ? damaged : `${damaged}, ${missing} missing`;
}

/** What a verification found, and the exit code that goes with it. */
export function showVerified(report: VerifyReport, output: Output): void {
  if (output.json) output.document(report as unknown as JsonValue);
  for (const damage of report.damages) output.print(damageLine(damage, output));
  for (const { destination, path, problem } of report.frozen)
    output.print(`${output.style('yellow', 'frozen')}   ${destination}: ${path}: ${problem}`);
  for (const lost of report.unreachable)
    output.warn(`It could not be checked: ${ofDestination(lost.destination, lost.error)}`);
  const frozen = report.frozen.length === 0 ? '' : ` ${report.frozen.length} frozen and not read.`;
  output.print(
    `${report.checkedSnapshots} snapshots, ${formatBytes(report.checkedBytes)} checked in ${formatDuration(report.durationMs)}: ${
      report.ok
        ? 'all good.'
        : `${foundText(report.damages)}${report.unreachable.length === 0 ? '' : `, ${report.unreachable.length} of the destinations not checked`}.`
    }${frozen}`,
  );
  if (report.damages.length > 0) process.exitCode = 3;
  else if (!report.ok) process.exitCode = 1;
}
