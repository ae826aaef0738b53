import type { JsonValue } from '../../core/json.js';
import { copyTarget } from '../../app/exchange/copy-study.js';
import type { CopyArguments } from '../arguments.js';
import { outputOf } from '../common-options.js';

/** `resweep copy FROM TO`. */
export async function copy(args: CopyArguments): Promise<void> {
  const output = outputOf(args);
  const report = await copyTarget({ from: args.from, to: args.to, studyName: args.study, newName: args.name });
  if (output.json) output.document(report as unknown as JsonValue);
  else {
    output.print(`Study "${report.name}" with ${report.trials} trials was copied to ${report.to}.`);
    if (!report.idsKept) output.print('Its trials have new ids there (numbers are the same), for some were taken.');
  }
}
