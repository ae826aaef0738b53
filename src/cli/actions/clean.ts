import { relative } from 'node:path';

import type { JsonValue } from '../../core/json.js';
import { cleanLocal } from '../../app/backup/clean.js';
import type { CleanArguments } from '../arguments.js';
import { outputOf } from '../common-options.js';
import { formatBytes, logTo } from '../output.js';

/** Reasons up to so many characters are repeated. */
const SHORT = 120;

/** `resweep clean CONFIG [PATH]`. Exit code 1 where something is refused. */
export async function clean(args: CleanArguments): Promise<void> {
  const output = outputOf(args);
  const { config: configPath, set, path, destination, dryRun, sameDisk } = args;
  const report = await cleanLocal({ configPath, set, path, destination, dryRun, sameDisk, log: logTo(output) });
  if (output.json) output.document(report as unknown as JsonValue);
  const here = (file: string): string => relative(process.cwd(), file);
  for (const file of report.freed)
    output.detail(`  ${dryRun ? 'would go' : 'freed'}  ${here(file.path)}  (verified on ${file.safeOn.join(', ')})`);
  // A reason that many files share is said once, in full, with the first of them.
  let said: string | undefined;
  for (const { path: file, reason = '' } of report.refused) {
    const why = reason !== said || reason.length <= SHORT ? reason : 'for the same reason';
    output.print(`  ${output.style('yellow', 'stays')}  ${here(file)}: ${why}`);
    said = reason;
  }
  output.print(
    `${dryRun ? 'Would free' : 'Freed'} ${formatBytes(report.freedBytes)} in ${report.freed.length} files, each verified at a destination; ${report.refused.length} files stay.`,
  );
  if (report.refused.length > 0) {
    output.print(`resweep backup now ${configPath}   saves what has changed; then clean again`);
    process.exitCode = 1;
  } else if (!dryRun) output.print(`resweep restore ${configPath}   brings it back; resweep run goes on from it`);
}
