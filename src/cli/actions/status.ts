import type { JsonValue } from '../../core/json.js';
import { openTarget } from '../../app/studies/open-target.js';
import { studyStatus, type BackupHealth, type StudyStatus } from '../../app/views/study-report.js';
import type { TargetArguments } from '../arguments.js';
import { outputOf } from '../common-options.js';
import { formatBytes, formatDuration, formatNumber, formatParams, formatTime, type Output } from '../output.js';

/** `resweep status`. */
export async function status(args: TargetArguments): Promise<void> {
  const output = outputOf(args);
  const target = await openTarget(args.target, { studyName: args.study });
  try {
    const report = await studyStatus(target.study, target);
    if (output.json) output.document(report as unknown as JsonValue);
    else show(report, output);
  } finally {
    await target.close();
  }
}

function show(report: StudyStatus, output: Output): void {
  const { trials } = report;
  output.print(output.style('bold', report.study) + (report.study8 === null ? '' : `  (study-${report.study8})`));
  output.print(`  stored in   ${report.studyDb ?? report.storage}`);
  const of = report.target === null ? '' : ` of ${report.target}`;
  const parts = [
    `${trials.finished}${of} finished`,
    `${trials.complete} complete`,
    `${trials.pruned} pruned`,
    `${trials.fail - trials.interrupted} failed`,
    ...(trials.interrupted > 0 ? [`${trials.interrupted} interrupted`] : []),
    ...(trials.running > 0 ? [`${trials.running} running`] : []),
    ...(trials.waiting > 0 ? [`${trials.waiting} waiting`] : []),
  ];
  output.print(`  trials      ${parts.join(', ')}`);
  if (report.best !== null) {
    const values = report.best.values ?? [report.best.value ?? NaN];
    const names = report.metricNames ?? values.map((_, i) => (values.length > 1 ? `value ${i}` : 'value'));
    const text = values.map((value, i) => `${names[i] ?? 'value'} ${formatNumber(value)}`).join(', ');
    output.print(`  best        ${text} (trial ${report.best.number})`);
    output.print(`              ${formatParams(report.best.params, output.width - 14)}`);
  }
  for (const row of report.running) {
    const since =
      row.datetimeStart === null ? '' : `, for ${formatDuration(Date.now() - Date.parse(row.datetimeStart))}`;
    output.print(`  running     trial ${row.number}${row.lastStep === null ? '' : `, step ${row.lastStep}`}${since}`);
  }
  for (const row of report.lastFailures)
    output.print(`  failed      trial ${row.number}: ${row.reason ?? 'no reason kept'}`);
  for (const backup of report.backup) {
    output.print(`  backup      ${backupLine(backup, report.trials)}`);
    for (const problem of [backup.error, backup.damage])
      if (problem !== null) output.print(`              ${output.style(['bold', 'red'], problem)}`);
  }
}

/** A copy counts every trial that ended, interrupted ones too; the line above it does not. */
function safeText(safe: number, { finished, interrupted }: StudyStatus['trials']): string {
  if (interrupted === 0) return `${safe} finished trials safe`;
  return safe >= finished + interrupted
    ? `${finished} finished trials safe`
    : `${safe} trials safe (interrupted ones among them)`;
}

/** Clocks of two machines may differ by so much without a word. */
const CLOCKS_DIFFER_MS = 60_000;

const FINDINGS = {
  none: 'all good',
  damaged: 'DAMAGED',
  missing: 'NOTHING WAS THERE',
  unchecked: 'could not be checked',
} as const;

function backupLine(backup: BackupHealth, trials: StudyStatus['trials']): string {
  const { name, lastVerifiedAt, verified, finishedTrials, bytes, backlog, verifiedAt, finding } = backup;
  if (lastVerifiedAt === null) return `${name}: NO GOOD COPY YET`;
  const ago = (at: string): string => {
    const age = Date.now() - Date.parse(at);
    return age < -CLOCKS_DIFFER_MS
      ? `at ${formatTime(at)}, by a clock that was ahead`
      : `${formatDuration(Math.max(0, age))} ago`;
  };
  const state = verified === 'verified' ? 'verified' : 'in the mount, upload unconfirmed';
  const parts = [
    safeText(finishedTrials ?? 0, trials),
    `${state} ${ago(lastVerifiedAt)}`,
    ...(bytes === null ? [] : [formatBytes(bytes)]),
    ...(backlog === null || backlog === 0 ? [] : [`${backlog} trials behind`]),
    ...(verifiedAt === null ? [] : [`checked ${ago(verifiedAt)}: ${FINDINGS[finding ?? 'none']}`]),
  ];
  return `${name}: ${parts.join(', ')}`;
}
