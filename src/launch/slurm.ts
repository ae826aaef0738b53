import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { messageOf } from '../core/errors.js';
import { LaunchError } from './launch-error.js';
import {
  launchName,
  type LaunchedJob,
  type Launcher,
  type LaunchFile,
  type LaunchRecord,
  type LaunchRequest,
  type Submitted,
} from './launcher.js';
import { mustRun } from './run-program.js';
import { slurmSchema } from './slurm-schema.js';
import { slurmLogFolder, stagesName, stagesScript, workersScript } from './slurm-script.js';
import { STORAGE_VARIABLE } from './worker-script.js';

/** What squeue is asked for: id, array's id, index, state, node, reason, comment. A job's name may be cut, its comment is not. */
const FORMAT = '%i|%F|%K|%T|%N|%r|%k';

const STATES: Readonly<Record<string, LaunchedJob['state']>> = {
  PENDING: 'waiting',
  REQUEUED: 'waiting',
  REQUEUE_HOLD: 'waiting',
  REQUEUE_FED: 'waiting',
  SPECIAL_EXIT: 'waiting',
  CONFIGURING: 'running',
  RUNNING: 'running',
  COMPLETING: 'running',
  SIGNALING: 'running',
  STAGE_OUT: 'running',
  SUSPENDED: 'running',
  STOPPED: 'running',
  RESIZING: 'running',
  COMPLETED: 'done',
  CANCELLED: 'stopped',
  REVOKED: 'stopped',
};

async function submit(request: LaunchRequest): Promise<Submitted> {
  mkdirSync(slurmLogFolder(request), { recursive: true });
  const env = { [STORAGE_VARIABLE]: request.storage.url };
  const id = await sbatch(workersScript(request), [], env);
  if (request.stages.length === 0) return { started: true, message: `Slurm has the job array ${id}.` };
  try {
    const stages = await sbatch(stagesScript(request), [`--dependency=afterany:${id}`], env);
    return { started: true, message: `Slurm has the job array ${id}, and ${stages} for the stages after it.` };
  } catch (error) {
    await scancel(['--name', launchName(request)]);
    throw error;
  }
}

async function sbatch(script: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<string> {
  const printed = await mustRun('sbatch', ['--parsable', ...args], { input: script, env });
  return printed.trim().split(';')[0] ?? '';
}

/** The jobs of a launch, one for each index of the array. The name decides, since ids are given anew. */
async function jobs(record: LaunchRecord): Promise<LaunchedJob[]> {
  const name = launchName(record);
  const wanted = [name, stagesName(name)];
  const printed = await mustRun('squeue', ['-h', '-r', '-a', '-t', 'all', '-o', FORMAT, `--name=${wanted.join(',')}`]);
  return printed
    .split('\n')
    .filter((line) => line !== '')
    .flatMap((line) => {
      const [id = '', , index = '', state = '', node = '', reason = '', ...comment] = line.split('|');
      const own = comment.join('|');
      if (!wanted.includes(own)) return [];
      return [
        {
          name: own === name ? workerName(index) : 'stages',
          id,
          state: STATES[state] ?? 'failed',
          detail: reason === '' || reason === 'None' ? state : `${state} (${reason})`,
          ...(node === '' ? {} : { node }),
        },
      ];
    });
}

/** Jobs of an array that never began are one to Slurm. */
function workerName(index: string): string {
  return /^\d+$/.test(index) ? `worker ${index}` : 'workers';
}

async function cancel(record: LaunchRecord, which: 'waiting' | 'all'): Promise<void> {
  // By id: an array's name alone would also end what runs. The ids were asked for by name a moment ago.
  const found = await jobs(record);
  const ids = found.filter(({ state }) => state === 'waiting' || (which === 'all' && state === 'running'));
  if (ids.length === 0) return;
  const name = launchName(record);
  for (const own of [name, stagesName(name)]) {
    const mine = ids.filter((job) => (own === name) === job.name.startsWith('worker'));
    // Slurm checks the name again, so that an id that was given to another's job meanwhile ends nothing.
    if (mine.length > 0) await scancel(['--name', own, ...mine.map(({ id }) => id)]);
  }
}

async function scancel(args: readonly string[]): Promise<void> {
  await mustRun('scancel', ['--quiet', ...args]);
}

function logs(record: LaunchRecord, job: LaunchedJob): Promise<string> {
  const path = join(record.where['logs'] ?? '', `${job.name.replace(' ', '-')}.log`);
  try {
    return Promise.resolve(readFileSync(path, 'utf8'));
  } catch (error) {
    return Promise.reject(new LaunchError(`${path} cannot be read: ${messageOf(error)}`, { cause: error }));
  }
}

/** Slurm: a job array of workers, and a job for the stages that depends on it. */
export const slurmLauncher: Launcher = {
  type: 'slurm',
  summary: 'A job array of Slurm.',
  schema: slurmSchema,
  where: (request) => ({ logs: slurmLogFolder(request) }),
  draft: (request): LaunchFile[] => [
    { name: 'workers.sbatch', text: workersScript(request) },
    ...(request.stages.length === 0
      ? []
      : [{ name: 'stages.sbatch (--dependency=afterany:WORKERS)', text: stagesScript(request) }]),
  ],
  submit,
  jobs,
  cancel,
  logs,
};
