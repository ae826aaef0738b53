import { relative } from 'node:path';

import type { JsonValue } from '../../core/json.js';
import { isServerUrl } from '../../core/storage-url.js';
import { importFile } from '../../app/exchange/import-file.js';
import type { ImportArguments } from '../arguments.js';
import { outputOf } from '../common-options.js';

/** `resweep import FILE`. */
export async function importCommand(args: ImportArguments): Promise<void> {
  const output = outputOf(args);
  const report = await importFile({
    file: args.file,
    config: args.config,
    set: args.set,
    storage: args.storage,
    studyName: args.study,
    newName: args.name,
    out: args.out,
  });
  for (const warning of report.warnings) output.warn(warning);
  if (output.json) {
    output.document(report as unknown as JsonValue);
    return;
  }
  const to = isServerUrl(report.to) ? report.to : relative(process.cwd(), report.to);
  if (report.kind === 'wandb-sweep') {
    output.print(`Written: ${to} (${args.file} stays as it is).`);
    output.print(`Next: resweep run ${to}`);
    return;
  }
  const revision = report.revision === null ? '' : `, from the schema ${report.revision} of an earlier Optuna`;
  output.print(
    `Study "${report.name}" with ${report.trials ?? 0} trials is in ${to}${revision}; ${args.file} stays as it is.`,
  );
  output.print(args.config === undefined ? `Next: resweep status ${to}` : `Next: resweep run ${args.config}`);
}
