import { checkBudget } from '../../app/shared/check-budget.js';
import { joinSweep, LAUNCH_VARIABLE, storageFromEnvironment } from '../../app/shared/join-sweep.js';
import { runSweep } from '../../app/sweep/run-sweep.js';
import { requestStop } from '../../app/sweep/stop-request.js';
import { summaryJson } from '../../app/sweep/sweep-summary.js';
import { openTarget } from '../../app/studies/open-target.js';
import type { StopArguments, WorkerArguments } from '../arguments.js';
import { outputOf } from '../common-options.js';
import { createDisplay } from '../display/create-display.js';
import { formatDuration, type Output } from '../output.js';
import { withStopSignals } from '../stop-signals.js';
import { timeoutOf } from './run.js';

/** `resweep worker`. */
export async function worker(args: WorkerArguments): Promise<void> {
  const output = outputOf(args);
  const target = args.target ?? storageFromEnvironment();
  if (args.check) {
    await check(target, args, output);
    return;
  }
  const joined = await joinSweep(target, { studyName: args.study, set: args.set });
  const display = await createDisplay(output);
  try {
    const { result, stoppedBy } = await withStopSignals(
      () => {
        output.info('Saving checkpoints and backup; once more to leave at once.');
      },
      (signal) =>
        runSweep({
          configPath: target,
          launch: process.env[LAUNCH_VARIABLE],
          sweep: joined.sweep,
          joined: joined.byUrl,
          trials: joined.trials,
          jobs: args.jobs ?? joined.parallel,
          timeoutMs: timeoutOf(args.timeout),
          observer: display,
          signal,
        }),
    );
    display.close();
    const { summary } = result;
    if (output.json) output.document(summaryJson(summary));
    else {
      output.print(
        `${summary.trials.finished} trials of "${summary.study}" are finished; this worker ran for ` +
          `${formatDuration(summary.elapsedSeconds * 1000)}: ${summary.stopped}.`,
      );
    }
    if (stoppedBy !== undefined) process.exitCode = stoppedBy;
  } finally {
    display.close();
  }
}

/** Whether there is anything left to do, for scripts that wait for the end of a sweep. */
async function check(target: string, args: WorkerArguments, output: Output): Promise<void> {
  const budget = await checkBudget(target, { studyName: args.study, set: args.set });
  if (output.json) output.document({ ...budget });
  else
    output.print(`${budget.finished} of ${budget.total} trials of "${budget.study}" are finished: ${budget.reason}.`);
  if (!budget.met) process.exitCode = 1;
}

/** `resweep stop`. */
export async function stop(args: StopArguments): Promise<void> {
  const output = outputOf(args);
  const target = await openTarget(args.target, { studyName: args.study, readOnly: false });
  try {
    const { study } = target;
    await study.sync();
    await requestStop(study, { now: args.now });
    const running = study.history.unfinished.filter((trial) => trial.state === 'RUNNING').length;
    const workers = (await study.otherProcesses()).length;
    if (output.json) output.document({ study: study.studyName, requested: true, now: args.now, running, workers });
    else {
      output.print(
        workers === 0
          ? `Nobody works on "${study.studyName}" at present.`
          : `${workers} ${workers === 1 ? 'process was' : 'processes were'} asked to end; ${running} trials are running` +
              `${args.now ? ' and will be queued again' : ' and will be finished'}.`,
      );
    }
  } finally {
    await target.study.leave();
    await target.close();
  }
}
