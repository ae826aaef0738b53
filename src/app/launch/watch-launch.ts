import { messageOf, UsageError } from '../../core/errors.js';
import type { LaunchedJob, LaunchRecord } from '../../launch/launcher.js';
import { launcherOf } from '../../launch/launcher-registry.js';
import type { Study } from '../../study/study.js';
import { countTrials, type TrialCounts } from '../sweep/sweep-summary.js';
import { keepLaunch, launchesOf } from './launch-records.js';

/** How one launch stands. */
export interface LaunchStatus {
  readonly record: LaunchRecord;
  /** What its engine still knows; undefined where it could not be asked. */
  readonly jobs: readonly LaunchedJob[] | undefined;
  readonly problem: string | undefined;
}

/** The launches of a study, or one of them, as their engines see them now. @throws UsageError for an unknown id */
export async function launchStatus(study: Study, id?: string): Promise<readonly LaunchStatus[]> {
  return Promise.all(select(study, id).map((record) => statusOf(record)));
}

/** Trials of the study and processes that work on it: what counts, whatever an engine says. */
export async function studyAtWork(study: Study): Promise<{ trials: TrialCounts; processes: number }> {
  await study.sync();
  return { trials: countTrials(study), processes: (await study.otherProcesses()).length };
}

/**
 * Ends launches: jobs that wait are cancelled, workers finish their trials and leave, the stages after them do not begin. With
 * `now` running trials are queued again, and what has not ended by itself after `patienceMs` is ended by the engine.
 * @throws UsageError for an unknown id
 */
export async function stopLaunch(
  study: Study,
  options: { id?: string | undefined; now: boolean; patienceMs?: number | undefined },
): Promise<readonly LaunchStatus[]> {
  const records = select(study, options.id).filter((record) => options.now || record.stoppedAt === undefined);
  const results: LaunchStatus[] = [];
  for (const record of records) {
    const stopped = { ...record, stoppedAt: record.stoppedAt ?? new Date().toISOString(), now: options.now };
    // First the word to the workers: one that is queued again meanwhile leaves as soon as it starts.
    await keepLaunch(study, stopped);
    let problem: string | undefined;
    try {
      const launcher = launcherOf(record.engine);
      await launcher.cancel(record, 'waiting');
      if (options.now) {
        await untilEnded(stopped, options.patienceMs ?? 30_000);
        await launcher.cancel(record, 'all');
      }
    } catch (error) {
      problem = messageOf(error);
    }
    const status = await statusOf(stopped);
    results.push({ ...status, problem: problem ?? status.problem });
  }
  return results;
}

async function untilEnded(record: LaunchRecord, patienceMs: number): Promise<void> {
  for (const deadline = performance.now() + patienceMs; performance.now() < deadline;) {
    const { jobs } = await statusOf(record);
    if (jobs?.every(({ state }) => state !== 'running') === true) return;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

async function statusOf(record: LaunchRecord): Promise<LaunchStatus> {
  try {
    return { record, jobs: await launcherOf(record.engine).jobs(record), problem: undefined };
  } catch (error) {
    return { record, jobs: undefined, problem: messageOf(error) };
  }
}

function select(study: Study, id: string | undefined): readonly LaunchRecord[] {
  const all = launchesOf(study);
  if (id === undefined) return all;
  const found = all.filter((record) => record.id === id);
  if (found.length > 0) return found;
  const known = all.map((record) => record.id).join(', ');
  throw new UsageError(`Study "${study.studyName}" has no launch ${id}.`, {
    hint: known === '' ? 'It was never launched: resweep launch slurm CONFIG --workers N' : `It has: ${known}.`,
  });
}
