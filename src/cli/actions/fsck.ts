import type { JsonValue } from '../../core/json.js';
import { fsck as check, type Finding } from '../../app/fsck/fsck.js';
import type { FsckArguments } from '../arguments.js';
import { outputOf } from '../common-options.js';

const MARK = {
  repaired: ['green', 'repaired'],
  repairable: ['yellow', 'found'],
  lost: ['red', 'lost'],
  yours: ['yellow', 'to do'],
} as const satisfies Record<Finding['state'], unknown>;

/** `resweep fsck STUDY`. Exit code 3 where something is damaged, and not repaired without a loss. */
export async function fsck(args: FsckArguments): Promise<void> {
  const output = outputOf(args);
  const report = await check({ target: args.study, dryRun: args.dryRun, set: args.set });
  if (output.json) output.document(report as unknown as JsonValue);
  output.print(output.style('bold', report.studyDb));
  for (const { kind, path, problem, remedy, state } of report.findings) {
    const [color, word] = MARK[state];
    const where = path === report.studyDb ? kind : `${kind} ${path}`;
    output.print(`  ${output.style(color, word.padEnd(8))}  ${where}: ${problem}. ${remedy}`);
  }
  if (report.findings.length === 0)
    output.print('  The database is whole; no lock, half-written file or odd time was found.');
  if (report.finishedTrials !== null) output.print(`  ${report.finishedTrials} finished trials.`);
  if (report.salvage !== null) {
    output.print(
      '  A backup may hold more: resweep backup list CONFIG. To take it, move this study.db away, then resweep restore CONFIG.',
    );
  }
  if (!report.ok) process.exitCode = 3;
}
