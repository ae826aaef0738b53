import { writeFileAtomically } from '../../core/atomic-file.js';
import { UsageError } from '../../core/errors.js';
import type { JsonValue } from '../../core/json.js';
import { launchLog } from '../../app/launch/launch-log.js';
import { startLaunch } from '../../app/launch/start-launch.js';
import { launchStatus, stopLaunch, studyAtWork, type LaunchStatus } from '../../app/launch/watch-launch.js';
import { storageFromEnvironment } from '../../app/shared/join-sweep.js';
import { openTarget } from '../../app/studies/open-target.js';
import type { LaunchArguments } from '../arguments.js';
import { outputOf } from '../common-options.js';
import type { Output } from '../output.js';

/** `resweep launch`. */
export async function launch(args: LaunchArguments): Promise<void> {
  const output = outputOf(args);
  switch (args.action) {
    case 'status':
      await status(args, output);
      break;
    case 'stop':
      await stop(args, output);
      break;
    case 'logs':
      await logs(args, output);
      break;
    default:
      await start(args.action, args, output);
  }
}

async function start(engine: string, args: LaunchArguments, output: Output): Promise<void> {
  const { target, workers } = args;
  if (target === undefined || workers === undefined) {
    throw new UsageError(`${target === undefined ? 'A configuration' : '--workers'} is missing.`, {
      hint: `resweep launch ${engine} CONFIG --workers N`,
    });
  }
  const { request, files, submitted } = await startLaunch({
    engine,
    configPath: target,
    workers,
    jobs: args.jobs,
    set: [...args.set, ...sectionOptions(engine, args)],
    dryRun: args.dryRun || args.out !== undefined,
    say: (level, text) => {
      if (level === 'info') output.detail(text);
      else output.warn(text);
    },
  });
  if (args.out !== undefined) writeFileAtomically(args.out, files.map(({ text }) => text).join('\n'));
  if (output.json) {
    const { id, study, study8, stages } = request;
    output.document({
      ...{ launch: id, engine, study, study8, workers, stages: [...stages] },
      started: submitted?.started ?? false,
      message: submitted?.message ?? null,
      files: files.map(({ name, text }) => ({ name, text })),
    });
    return;
  }
  if (submitted === undefined && args.out === undefined) {
    for (const { name, text } of files) {
      if (files.length > 1) output.print(output.style('dim', `# ---- ${name}`));
      output.print(text.trimEnd());
    }
    return;
  }
  if (submitted === undefined) {
    output.print(`Written to ${args.out ?? ''}; nothing was started.`);
    return;
  }
  if (!submitted.started) for (const { text } of files) output.print(text.trimEnd());
  output.print(`Launch ${request.id} of "${request.study}": ${submitted.message}`);
  output.info(`  resweep launch status ${target}`);
  output.info(`  resweep launch stop ${target}`);
}

/** Options of the command line, as overrides of the engine's section. */
function sectionOptions(engine: string, args: LaunchArguments): string[] {
  return (['partition', 'gpus', 'time'] as const).flatMap((name) => {
    const value = args[name];
    if (value === undefined) return [];
    const text = name === 'gpus' && /^\d+$/.test(value) ? value : JSON.stringify(value);
    return [`launch.${engine}.${name}=${text}`];
  });
}

/** A configuration or URL; without one what the environment names, else the study last worked on. */
async function open(args: LaunchArguments, readOnly: boolean) {
  const target =
    args.target ?? (process.env['RESWEEP_STORAGE_URL'] === undefined ? undefined : storageFromEnvironment());
  return openTarget(target, { studyName: args.study, readOnly });
}

async function status(args: LaunchArguments, output: Output): Promise<void> {
  const target = await open(args, true);
  try {
    const launches = await launchStatus(target.study, args.launch);
    const { trials, processes } = await studyAtWork(target.study);
    if (output.json) {
      output.document({
        study: target.study.studyName,
        trials: { ...trials } as unknown as JsonValue,
        processes,
        launches: launches.map(asJson),
      });
      return;
    }
    output.print(
      `${output.style('bold', target.study.studyName)}: ${trials.finished} trials finished, ${trials.running} running, ` +
        `${trials.waiting} waiting; ${processes} ${processes === 1 ? 'process works' : 'processes work'} on it`,
    );
    if (launches.length === 0) output.print('  never launched: resweep launch slurm CONFIG --workers N');
    for (const one of launches) show(one, output);
  } finally {
    await target.close();
  }
}

async function stop(args: LaunchArguments, output: Output): Promise<void> {
  const target = await open(args, false);
  try {
    const launches = await stopLaunch(target.study, { id: args.launch, now: args.now });
    if (output.json) output.document({ study: target.study.studyName, launches: launches.map(asJson) });
    else if (launches.length === 0) output.print('There is no launch left to stop.');
    for (const one of launches) show(one, output);
    // What could not be cancelled is told to leave all the same, but may not have begun.
    if (launches.some(({ problem }) => problem !== undefined)) process.exitCode = 1;
  } finally {
    await target.study.leave();
    await target.close();
  }
}

async function logs(args: LaunchArguments, output: Output): Promise<void> {
  const target = await open(args, true);
  try {
    const found = await launchLog(target.study, { id: args.launch, job: args.job });
    if (output.json) output.document({ ...found });
    else output.print(found.text.trimEnd());
  } finally {
    await target.close();
  }
}

function asJson({ record, jobs, problem }: LaunchStatus): JsonValue {
  const { id, engine, workers, at, stoppedAt, where } = record;
  return {
    ...{ launch: id, engine, workers, at, stoppedAt: stoppedAt ?? null, where: { ...where } },
    jobs: jobs === undefined ? null : jobs.map((job) => ({ ...job, node: job.node ?? null })),
    problem: problem ?? null,
  };
}

function show({ record, jobs, problem }: LaunchStatus, output: Output): void {
  const stopped = record.stoppedAt === undefined ? '' : ', stopped';
  output.print(`  launch ${record.id}: ${record.workers} workers by ${record.engine}, ${record.at}${stopped}`);
  if (problem !== undefined) output.print(`    ${output.style('red', problem)}`);
  if (jobs === undefined) return;
  if (jobs.length === 0) output.print(`    ${record.engine} knows none of its jobs any more`);
  for (const job of jobs) {
    const place = job.node === undefined ? '' : ` on ${job.node}`;
    output.print(`    ${job.name.padEnd(10)} ${job.state.padEnd(8)} ${job.id}  ${job.detail}${place}`);
  }
}
