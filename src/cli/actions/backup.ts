import type { JsonValue } from '../../core/json.js';
import { UsageError } from '../../core/errors.js';
import {
  backupNow,
  listSweepBackups,
  pruneSweepBackups,
  restoreSweep,
  verifySweepBackups,
} from '../../app/backup-commands.js';
import { parseShare, SHARE_FORM } from '../../config/units.js';
import type { BackupArguments, RestoreArguments } from '../arguments.js';
import { outputOf } from '../common-options.js';
import { formatBytes, formatDuration, type Output } from '../output.js';

/** `resweep backup now|list|verify|prune CONFIG`. */
export async function backup(args: BackupArguments): Promise<void> {
  const output = outputOf(args);
  switch (args.action) {
    case 'now':
      return saveNow(args, output);
    case 'list':
      return list(args, output);
    case 'verify':
      return verify(args, output);
    case 'prune':
      return prune(args, output);
  }
}

function logTo(output: Output): { info: (text: string) => void; warn: (text: string) => void } {
  return {
    info: (text) => {
      output.detail(text);
    },
    warn: (text) => {
      output.warn(text);
    },
  };
}

async function saveNow(args: BackupArguments, output: Output): Promise<void> {
  const report = await backupNow({ configPath: args.config, set: args.set, log: logTo(output) });
  if (output.json) output.document(report as unknown as JsonValue);
  for (const { name, verified, finishedTrials, bytes, error } of report.destinations) {
    if (error === undefined) {
      output.print(`${name}: ${finishedTrials ?? 0} finished trials safe, ${formatBytes(bytes)}, ${verified}.`);
    } else output.warn(`${name}: ${error}`);
  }
  if (!report.complete) process.exitCode = 1;
}

async function list(args: BackupArguments, output: Output): Promise<void> {
  const { backups, errors } = await listSweepBackups({
    configPath: args.config,
    set: args.set,
    all: args.all,
    destination: args.destination,
    log: logTo(output),
  });
  if (output.json) output.document({ backups, errors } as unknown as JsonValue);
  for (const { destination, error } of errors) output.warn(`${destination}: ${error}`);
  if (backups.length === 0) output.print('Nothing is saved yet.');
  else {
    output.table(
      ['destination', 'saved at (UTC)', 'trials', 'branch', 'path', 'snapshot'],
      backups.map((entry) => [
        entry.destination,
        entry.createdAt.slice(0, 19).replace('T', ' '),
        String(entry.finishedTrials),
        entry.branch + (entry.isHead ? ' *' : ''),
        entry.path,
        entry.snapshot,
      ]),
      [2],
    );
    output.print('* newest of its branch');
  }
  if (errors.length > 0) process.exitCode = 1;
}

async function verify(args: BackupArguments, output: Output): Promise<void> {
  const sample = args.sample === undefined ? undefined : parseShare(args.sample);
  if (args.sample !== undefined && sample === undefined) {
    throw new UsageError(`--sample must be ${SHARE_FORM}, but got "${args.sample}".`);
  }
  const report = await verifySweepBackups({
    configPath: args.config,
    set: args.set,
    deep: args.deep,
    sample,
    all: args.all,
    destination: args.destination,
    log: logTo(output),
  });
  if (output.json) output.document(report as unknown as JsonValue);
  for (const damage of report.damages) {
    output.print(
      `${output.style('red', 'damaged')}  ${damage.destination}: ${damage.path} (${damage.snapshot}): ${damage.problem}`,
    );
  }
  for (const lost of report.unreachable) output.warn(`${lost.destination} could not be checked: ${lost.error}`);
  output.print(
    `${report.checkedSnapshots} snapshots, ${formatBytes(report.checkedBytes)} checked in ${formatDuration(report.durationMs)}: ${
      report.ok ? 'all good.' : `${report.damages.length} damaged.`
    }`,
  );
  if (report.damages.length > 0) process.exitCode = 3;
  else if (!report.ok) process.exitCode = 1;
}

async function prune(args: BackupArguments, output: Output): Promise<void> {
  const { config: configPath, set, all, dryRun, destination } = args;
  const report = await pruneSweepBackups({ configPath, set, all, dryRun, destination, log: logTo(output) });
  if (output.json) output.document(report as unknown as JsonValue);
  for (const { destination: name, targets, removedPacks, freedBytes, waitingPacks, error } of report.destinations) {
    for (const { path, decisions, refused } of targets) {
      output.print(output.style('bold', `${name}: ${path}`));
      output.table(
        ['', 'saved at (UTC)', 'trials', 'why', 'snapshot'],
        decisions.map(({ manifest, keep, reasons }) => [
          keep || refused !== undefined ? 'keep' : dryRun ? 'would go' : 'removed',
          new Date(manifest.createdAt).toISOString().slice(0, 19).replace('T', ' '),
          String(manifest.finished),
          keep || refused === undefined ? reasons.join(', ') : 'the newest state is not whole',
          manifest.name,
        ]),
        [2],
      );
      if (refused !== undefined) output.warn(`${name}: ${path}: ${refused}.`);
    }
    const waiting = waitingPacks === 0 ? '' : ` ${waitingPacks} packs that nothing names wait for a day.`;
    const packs = `${removedPacks} packs, ${formatBytes(freedBytes)}`;
    output.print(`${name}: ${dryRun ? `would free ${packs}` : `freed ${packs}`}.${waiting}`);
    if (error !== undefined) output.warn(`${name}: ${error}`);
  }
  if (report.destinations.some(({ targets }) => targets.some(({ refused }) => refused !== undefined)))
    process.exitCode = 3;
  else if (!report.ok) process.exitCode = 1;
}

/** `resweep restore CONFIG [PATH]`. */
export async function restore(args: RestoreArguments): Promise<void> {
  const output = outputOf(args);
  const { config, set, path, at, from, to, branch } = args;
  const results = await restoreSweep({ configPath: config, set, path, at, from, to, branch, log: logTo(output) });
  if (output.json) output.document(results as unknown as JsonValue);
  for (const result of results) {
    for (const fallback of result.fellBack) {
      output.warn(`${fallback.destination} ${fallback.snapshot} was passed over: ${fallback.reason}`);
    }
    const where = result.destination === undefined ? '' : ` from ${result.destination}`;
    const when = result.createdAt === undefined ? '' : `, saved ${result.createdAt}`;
    const size = result.bytes > 0 ? `, ${formatBytes(result.bytes)}` : '';
    output.print(
      result.status === 'present'
        ? `${result.path} is there already and was left as it is.`
        : `${result.path}: ${result.status}${where}${when}${size}`,
    );
    for (const other of result.otherBranches) {
      output.print(
        `  another history exists: --branch ${other.branch} (${other.finished} finished trials, on ${other.destination})`,
      );
    }
  }
}
