import { UsageError } from '../../core/errors.js';
import { launcherOf } from '../../launch/launcher-registry.js';
import type { Study } from '../../study/study.js';
import { launchStatus } from './watch-launch.js';

/** Output of one job of a launch: of the newest launch and its first worker where nothing is said. @throws UsageError, LaunchError */
export async function launchLog(
  study: Study,
  options: { id?: string | undefined; job?: string | undefined },
): Promise<{ launch: string; job: string; text: string }> {
  const status = (await launchStatus(study, options.id)).at(-1);
  if (status === undefined) throw new UsageError(`Study "${study.studyName}" was never launched.`);
  const { record, jobs = [] } = status;
  const name = options.job ?? 'worker 0';
  // An engine forgets jobs that are long over; their output may be there all the same.
  const job =
    jobs.find((candidate) => candidate.name === name) ?? ({ name, id: '', state: 'done', detail: '' } as const);
  return { launch: record.id, job: name, text: await launcherOf(record.engine).logs(record, job) };
}
