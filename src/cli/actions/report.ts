import { openTarget } from '../../app/studies/open-target.js';
import { restoreResults } from '../../app/stages/restore-results.js';
import { writeReport } from '../../app/views/write-report.js';
import type { ReportArguments } from '../arguments.js';
import { outputOf } from '../common-options.js';

/** `resweep report`. */
export async function report(args: ReportArguments): Promise<void> {
  const output = outputOf(args);
  const target = await openTarget(args.target, { studyName: args.study });
  try {
    // Only a configuration can say what its stages left behind.
    if (target.isRestored && args.target !== undefined) await restoreResults(args.target);
    const written = await writeReport(target, args);
    if (output.json) output.document({ study: target.study.studyName, ...written });
    const folders = [args.svg, args.png, args.csv].filter((folder) => folder !== undefined);
    if (args.out !== undefined) output.print(`Report: ${args.out}`);
    for (const folder of folders) output.print(`${written.figures.length} files: ${folder}`);
  } finally {
    await target.close();
  }
}
