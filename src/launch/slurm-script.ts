import { join } from 'node:path';

import { launchName, type LaunchRequest } from './launcher.js';
import type { SlurmOptions } from './slurm-schema.js';
import { attendFunctions, prelude, stagesLine } from './worker-script.js';

/** Name of the job that runs the stages after the workers. */
export function stagesName(name: string): string {
  return `${name}-stages`;
}

/** Where the jobs of a launch write their output, on the file system that all nodes see. */
export function slurmLogFolder(request: Pick<LaunchRequest, 'projectRoot' | 'study8' | 'id'>): string {
  return join(request.projectRoot, 'outputs', 'launch', `study-${request.study8}`, request.id);
}

/** The job array of workers. The storage's URL comes by the environment that sbatch hands over, and stands nowhere in it. */
export function workersScript(request: LaunchRequest): string {
  const { maxRunning } = request.options as unknown as SlurmOptions;
  const limit = maxRunning === undefined ? '' : `%${maxRunning}`;
  return script(request, launchName(request), [`--array=0-${request.workers - 1}${limit}`], 'worker-%a', 'worker');
}

/** The job that waits for the array to end, however its jobs ended, and does nothing where trials are left. */
export function stagesScript(request: LaunchRequest): string {
  const options = ['--kill-on-invalid-dep=yes'];
  return script(request, stagesName(launchName(request)), options, 'stages', stagesLine(request));
}

function script(request: LaunchRequest, name: string, more: readonly string[], log: string, work: string): string {
  const options = request.options as unknown as SlurmOptions;
  const directives = [
    `--job-name=${name}`,
    `--comment=${name}`,
    ...more,
    `--output=${join(slurmLogFolder(request), `${log}.log`)
      .replaceAll('%', '%%')
      .replace(/worker-%%a\.log$/, 'worker-%a.log')}`,
    '--open-mode=append',
    '--requeue',
    `--signal=B:USR1@${Math.max(1, Math.round(options.notice / 1000))}`,
    '--export=ALL',
    ...resources(options),
  ];
  return [
    '#!/bin/bash',
    // A path with a space is one word for sbatch only within quotes.
    ...directives.map(
      (directive) => `#SBATCH ${/\s/.test(directive) ? directive.replace(/=(.*)$/, '="$1"') : directive}`,
    ),
    '',
    ...prelude(request, request.projectRoot),
    ...attendFunctions(request),
    '',
    work,
    '',
    '# Told to leave while Slurm still counts this job as running: the time limit is near, or another job takes the node. A job',
    '# that was cancelled is not running any more.',
    'job="${SLURM_ARRAY_JOB_ID:+${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID}"; job="${job:-$SLURM_JOB_ID}"',
    'if [ -n "$left" ] && [ "$code" -ne 0 ] && [ "$(squeue -h -j "$job" -o %T)" = RUNNING ]; then',
    '  echo "told to leave: $job is queued again"',
    '  scontrol requeue "$job"',
    'fi',
    'exit "$code"',
    '',
  ].join('\n');
}

function resources(options: SlurmOptions): string[] {
  const { partition, account, qos, time, cpusPerTask, mem, gres, gpus } = options;
  const { constraint, nodelist, exclude, reservation } = options;
  const named = {
    partition,
    account,
    qos,
    time: time === undefined ? undefined : slurmTime(time),
    'cpus-per-task': cpusPerTask,
    mem: mem === undefined ? undefined : `${Math.ceil(mem / 1024)}K`,
    gres,
    gpus,
    constraint,
    nodelist,
    exclude,
    reservation,
  };
  return [
    '--ntasks=1',
    ...Object.entries(named).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}=${value}`])),
    ...options.sbatch,
  ];
}

/** `D-HH:MM:SS`. */
function slurmTime(milliseconds: number): string {
  const seconds = Math.ceil(milliseconds / 1000);
  const two = (value: number): string => String(value).padStart(2, '0');
  const days = Math.floor(seconds / 86_400);
  return `${days}-${two(Math.floor(seconds / 3600) % 24)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}
