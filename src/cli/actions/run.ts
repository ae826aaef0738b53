import { DURATION_FORM, parseDuration } from '../../config/units.js';
import { UsageError } from '../../core/errors.js';
import { runSweeps } from '../../app/sweep/run-sweeps.js';
import { summaryJson, type SweepSummary } from '../../app/sweep/sweep-summary.js';
import type { RunArguments } from '../arguments.js';
import { outputOf } from '../common-options.js';
import { createDisplay, type SweepDisplay } from '../display/create-display.js';
import { historyChart } from '../display/history-chart.js';
import { formatDuration, formatNumber, formatParams, type Output } from '../output.js';
import { withStopSignals } from '../stop-signals.js';

/** `resweep run`. */
export async function run(args: RunArguments): Promise<void> {
  const output = outputOf(args);
  const storage = await storageOf(args, output);
  const display = await createDisplay(output);
  try {
    const { result: results, stoppedBy } = await withStopSignals(
      () => {
        output.info('Saving checkpoints and backup; once more to leave at once.');
      },
      (signal) =>
        runSweeps(
          {
            configPath: args.config,
            set: args.set,
            trials: args.trials,
            timeoutMs: timeoutOf(args.timeout),
            jobs: args.jobs,
            fresh: args.fresh,
            studyName: args.study,
            storage,
            requireRestore: args.requireRestore,
            observer: display,
            signal,
          },
          ({ summary }) => {
            display.close();
            if (!output.json) show(summary, args, display, output);
          },
        ),
    );
    const [first, ...others] = results.map(({ summary }) => summaryJson(summary));
    if (output.json && first !== undefined)
      output.document(others.length === 0 ? first : { studies: [first, ...others] });
    if (stoppedBy !== undefined) process.exitCode = stoppedBy;
  } finally {
    display.close();
  }
}

/** What `--storage` comes to; a journal or an old database that it names is taken over first. */
async function storageOf(args: RunArguments, output: Output): Promise<string | undefined> {
  const { config: configPath, set, study: studyName, storage } = args;
  if (storage === undefined) return undefined;
  const { adoptStorage } = await import('../../app/exchange/adopt-storage.js');
  const adopted = await adoptStorage({ configPath, set, studyName, storage });
  for (const warning of adopted.warnings) output.warn(warning);
  const { imported } = adopted;
  if (imported !== undefined) {
    output.info(
      `Taken over from ${storage}: study "${imported.study}" with ${imported.trials ?? 0} trials, into ${imported.to}.`,
    );
  }
  return adopted.storage;
}

/** Milliseconds of `--timeout`. @throws UsageError */
export function timeoutOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const milliseconds = parseDuration(text);
  if (milliseconds === undefined) throw new UsageError(`--timeout must be ${DURATION_FORM}, but got "${text}".`);
  return milliseconds;
}

function show(summary: SweepSummary, args: RunArguments, display: SweepDisplay, output: Output): void {
  const { state } = display;
  if (state !== undefined && summary.paretoFront === undefined) {
    const chart = historyChart(state.points, state.direction, { width: Math.min(output.width, 90), height: 12 });
    if (chart.length > 0) {
      output.print();
      output.print(
        output.style('bold', `${state.metricName} by trial`) +
          output.style('dim', '   • complete  · pruned  ─ best so far'),
      );
      for (const line of chart) output.print(line);
    }
  }
  const { trials } = summary;
  output.print();
  output.print(
    `${trials.finished} trials finished (${trials.complete} complete, ${trials.pruned} pruned, ${trials.fail - trials.interrupted} failed) ` +
      `in ${formatDuration(summary.elapsedSeconds * 1000)}: ${summary.stopped}.`,
  );
  for (const best of summary.paretoFront ?? (summary.best === null ? [] : [summary.best])) {
    const values = (best.values ?? [best.value ?? NaN]).map(formatNumber).join(', ');
    output.print(`${output.style('green', `Best: ${state?.metricName ?? 'value'} ${values}`)} (trial ${best.number})`);
    output.print(`  ${formatParams(best.params, output.width - 2)}`);
  }
  const backup = state?.backupLine(Date.now());
  if (backup !== undefined) output.print(`Backup: ${backup}`);
  for (const problem of state?.backupProblems(Date.now()) ?? []) output.print(output.style(['bold', 'red'], problem));
  for (const tracker of summary.tracking) {
    const missing = tracker.missing === 0 ? '' : `, ${tracker.missing} still missing: the next run writes them`;
    output.print(`Tracked: ${tracker.name}, ${tracker.location}, ${tracker.written} trials${missing}`);
    if (tracker.error !== null) output.print(output.style('red', `  ${tracker.error}`));
  }
  output.print();
  output.print(output.style('dim', 'Next:'));
  const isShort = trials.finished < (state?.start.total ?? 0);
  const next: readonly (readonly [string, string])[] = [
    isShort
      ? [`resweep run ${args.config}`, 'goes on where it stopped']
      : [`resweep run ${args.config} --trials ${(state?.start.total ?? 0) * 2}`, 'adds trials'],
    [`resweep trials ${args.config}`, 'lists them'],
    trials.fail > 0 && trials.fail === trials.finished
      ? [`resweep logs 0 ${args.config}`, 'what the first one printed before it failed']
      : [`resweep best ${args.config}`, 'the best one'],
    ['resweep dashboard', 'shows all in a browser'],
  ];
  const width = next.reduce((most, [command]) => Math.max(most, command.length), 0);
  for (const [command, what] of next) output.print(`  ${command.padEnd(width)}   ${what}`);
}
