import type { JsonValue } from '../../core/json.js';
import { importanceReport } from '../../app/views/importance-report.js';
import { openTarget } from '../../app/studies/open-target.js';
import type { ImportanceArguments } from '../arguments.js';
import { outputOf } from '../common-options.js';

/** `resweep importance`. */
export async function importance(args: ImportanceArguments): Promise<void> {
  const output = outputOf(args);
  const target = await openTarget(args.target, { studyName: args.study });
  try {
    const report = await importanceReport(target.study, {
      evaluator: args.evaluator,
      params: args.params?.split(',').map((name) => name.trim()),
      metric: args.metric,
    });
    if (output.json) output.document(report as unknown as JsonValue);
    const what = report.metric ?? 'all objectives together';
    output.info(`What matters for ${what}, by ${report.evaluator} from ${report.complete} complete trials:`);
    const bar = Math.max(10, Math.min(50, output.width - 45));
    output.table(
      ['parameter', 'importance', ''],
      Object.entries(report.importances).map(([name, share]) => [
        name,
        share.toFixed(4),
        '█'.repeat(Math.round(share * bar)),
      ]),
      [1],
    );
  } finally {
    await target.close();
  }
}
