import { UsageError } from '../../core/errors.js';
import type { JsonValue } from '../../core/json.js';
import { exportStudies, isArchiveFile, verifyArchive } from '../../app/backup/archive-commands.js';
import { drillBackups } from '../../app/backup/backup-drill.js';
import { backupNow, listSweepBackups, pruneSweepBackups } from '../../app/backup/backup-commands.js';
import { drillPage } from '../../app/backup/drill-page.js';
import { isConfigFile } from '../../app/studies/find-config.js';
import { writeFileAtomically } from '../../core/atomic-file.js';
import { STUDY_DB } from '../../core/study-paths.js';
import type { BackupArguments } from '../arguments.js';
import { outputOf } from '../common-options.js';
import { formatBytes, formatDuration, logTo, ofDestination, type Output } from '../output.js';
import { withStopSignals } from '../stop-signals.js';
import { repair, showVerified, verify } from './backup-verify.js';

/** With the configuration that most actions need. */
type WithConfig = BackupArguments & { readonly config: string };

/** `resweep backup now|list|verify|repair|prune|drill CONFIG`, `resweep backup export FILE [CONFIG]`. */
export async function backup(args: BackupArguments): Promise<void> {
  const output = outputOf(args);
  if (args.action === 'export') return exportFile(args, output);
  const { config } = args;
  if (args.action === 'verify' && config !== undefined && isArchiveFile(config)) {
    showVerified(await verifyArchive(config, logTo(output)), output);
    return;
  }
  if (config === undefined) throw new UsageError(`Which sweep? resweep backup ${args.action} CONFIG`);
  const complete = { ...args, config };
  switch (args.action) {
    case 'now':
      return saveNow(complete, output);
    case 'list':
      return list(complete, output);
    case 'verify':
      return verify(complete, output);
    case 'repair':
      return repair(complete, output);
    case 'prune':
      return prune(complete, output);
    case 'drill':
      return drill(complete, output);
  }
}

async function saveNow(args: WithConfig, output: Output): Promise<void> {
  const report = await backupNow({ configPath: args.config, set: args.set, log: logTo(output) });
  if (output.json) output.document(report as unknown as JsonValue);
  for (const { name, verified, finishedTrials, bytes, error, sameDisk } of report.destinations) {
    if (error === undefined) {
      const disk = sameDisk ? ' (same disk)' : '';
      output.print(`${name}: ${finishedTrials ?? 0} finished trials safe, ${formatBytes(bytes)}, ${verified}${disk}.`);
    } else output.warn(ofDestination(name, error));
  }
  if (!report.complete) process.exitCode = 1;
}

/** How sure it is that a copy is whole. */
const VERIFIED = { verified: 'yes', handedToMount: 'in the mount', damaged: 'DAMAGED' } as const;

async function list(args: WithConfig, output: Output): Promise<void> {
  const { backups, errors } = await listSweepBackups({
    configPath: args.config,
    set: args.set,
    all: args.all,
    destination: args.destination,
    log: logTo(output),
  });
  if (output.json) output.document({ backups, errors } as unknown as JsonValue);
  for (const { destination, error } of errors) output.warn(ofDestination(destination, error));
  if (backups.length === 0) {
    output.print(errors.length === 0 ? 'Nothing is saved yet.' : 'No saved state was found where an answer came.');
  } else {
    output.table(
      ['destination', 'saved at (UTC)', 'trials', 'size', 'verified', 'branch', 'path', 'snapshot'],
      backups.map((entry) => [
        entry.destination,
        entry.createdAt.slice(0, 19).replace('T', ' '),
        // A folder has none.
        entry.path.endsWith(STUDY_DB) || entry.finishedTrials > 0 ? String(entry.finishedTrials) : '',
        entry.bytes === undefined ? '?' : formatBytes(entry.bytes),
        VERIFIED[entry.verified],
        entry.branch + (entry.isHead ? ' *' : ''),
        entry.path,
        entry.snapshot,
      ]),
      [2, 3],
    );
    output.print('* newest of its branch');
  }
  if (errors.length > 0) process.exitCode = 1;
}

async function prune(args: WithConfig, output: Output): Promise<void> {
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
    if (error !== undefined) output.warn(ofDestination(name, error));
  }
  if (report.destinations.some(({ targets }) => targets.some(({ refused }) => refused !== undefined)))
    process.exitCode = 3;
  else if (!report.ok) process.exitCode = 1;
}

async function drill(args: WithConfig, output: Output): Promise<void> {
  const { config: configPath, set, destination, train, report: reportFile } = args;
  if (reportFile !== undefined && !/\.(html|json)$/.test(reportFile)) {
    throw new UsageError(`--report takes a file that ends with .html or .json, but got "${reportFile}".`);
  }
  const { result: report, stoppedBy } = await withStopSignals(
    () => {
      output.info('Ending the drill; nothing was changed.');
    },
    (signal) => drillBackups({ configPath, set, destination, train, log: logTo(output), signal }),
  );
  if (output.json) output.document(report as unknown as JsonValue);
  for (const drilled of report.destinations) {
    const { ok, steps, recoverySeconds, missingTrials } = drilled;
    output.print(output.style('bold', `${drilled.destination} (${drilled.type}: ${drilled.location})`));
    for (const step of steps) {
      const mark = step.ok ? output.style('green', 'ok    ') : output.style('red', 'FAILED');
      output.print(
        `  ${mark} ${step.name.padEnd(8)} ${formatDuration(step.seconds * 1000).padStart(8)}  ${step.detail}`,
      );
    }
    const late =
      missingTrials === null || missingTrials === 0 ? '' : `, ${missingTrials} finished trials behind this machine`;
    output.print(
      ok
        ? `  This destination brings the study back in ${formatDuration((recoverySeconds ?? 0) * 1000)}${late}.`
        : '  This destination would NOT bring the study back.',
    );
  }
  if (reportFile !== undefined) {
    writeFileAtomically(
      reportFile,
      reportFile.endsWith('.json') ? `${JSON.stringify(report, null, 2)}\n` : drillPage(report),
    );
    output.info(`Report: ${reportFile}`);
  }
  if (stoppedBy !== undefined) process.exitCode = stoppedBy;
  else if (!report.ok) process.exitCode = 3;
}

async function exportFile(args: BackupArguments, output: Output): Promise<void> {
  const words = [args.config, args.file].filter((word) => word !== undefined);
  const configPath = words.find((word) => isConfigFile(word));
  const file = words.find((word) => !isConfigFile(word));
  if (file === undefined) throw new UsageError('Into which file? resweep backup export FILE [CONFIG]');
  const report = await exportStudies({ file, configPath, set: args.set, log: logTo(output) });
  if (output.json) output.document(report as unknown as JsonValue);
  for (const target of report.targets) output.print(`  ${target}`);
  output.print(
    `${report.file}: ${formatBytes(report.bytes)}, sha256 ${report.sha256}, ${formatDuration(report.durationMs)}.`,
  );
  output.print(output.style('dim', `resweep restore --from ${file}   brings it back, also without network`));
}
