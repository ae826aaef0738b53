import { enqueueTrial } from '../../app/exchange/enqueue-trial.js';
import { readParams } from '../../app/exchange/given-params.js';
import type { EnqueueArguments } from '../arguments.js';
import { outputOf } from '../common-options.js';
import { formatParams } from '../output.js';

/** `resweep enqueue TARGET x=1 …`. */
export async function enqueue(args: EnqueueArguments): Promise<void> {
  const output = outputOf(args);
  const given = readParams(args.params, args.assignments);
  const { study, number, params } = await enqueueTrial({
    target: args.target,
    studyName: args.study,
    given,
    skipIfExists: args.skipIfExists,
  });
  if (output.json) output.document({ study, number, params });
  else if (number === null) output.print(`A trial with ${formatParams(params)} is there already; nothing was queued.`);
  else output.print(`Trial ${number} of "${study}" waits: ${formatParams(params)}`);
}
