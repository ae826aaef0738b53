import type { JsonValue } from '../../core/json.js';
import { openTarget } from '../../app/studies/open-target.js';
import { bestOf } from '../../app/sweep/sweep-summary.js';
import type { TargetArguments } from '../arguments.js';
import { outputOf } from '../common-options.js';
import { formatNumber } from '../output.js';

/** `resweep best`. Exit code 1 where no trial is complete. */
export async function best(args: TargetArguments): Promise<void> {
  const output = outputOf(args);
  const target = await openTarget(args.target, { studyName: args.study });
  try {
    await target.study.sync();
    const found = bestOf(target.study);
    if (output.json) output.document(found as unknown as JsonValue);
    if (found.best === null) {
      output.print('No trial is complete yet.');
      process.exitCode = 1;
      return;
    }
    const names = target.study.metricNames;
    for (const trial of found.paretoFront ?? [found.best]) {
      const values = trial.values ?? [trial.value ?? NaN];
      output.print(
        output.style('bold', `trial ${trial.number}: `) +
          values.map((value, i) => `${names?.[i] ?? 'value'} = ${formatNumber(value)}`).join(', '),
      );
      for (const [name, value] of Object.entries(trial.params)) {
        output.print(`  ${name}: ${typeof value === 'number' ? formatNumber(value) : String(value)}`);
      }
    }
  } finally {
    await target.close();
  }
}
