import type { Distribution } from '../../core/distributions.js';
import { TRIAL_ATTRIBUTE, type FrozenTrial } from '../../core/frozen-trial.js';
import { stringifyJson, type JsonValue } from '../../core/json.js';
import type { SweepConfig } from '../../core/sweep-config.js';
import { VERSION } from '../../core/version.js';
import { plotParamImportances } from '../../analysis/plots/param-importances-figure.js';
import { shortNumber } from '../../report/charts/chart-parts.js';
import type { ReportCard, ReportContent, ReportFigure, ReportSection, ReportTable } from '../../report/report-page.js';
import type { Study } from '../../study/study.js';
import { timeText, bytesText, durationText } from './format-text.js';
import { stageSections } from './report-stages.js';
import type { StageResult } from './stage-results.js';
import { trialRow, type BackupHealth, type StudyStatus } from './study-report.js';

const LISTED_TRIALS = 25;

/** A study as a report tells it. */
export async function reportContent(
  study: Study,
  status: StudyStatus,
  config: SweepConfig | undefined,
  figures: readonly ReportFigure[],
  highlight: readonly number[],
  results: readonly StageResult[] = [],
): Promise<ReportContent> {
  const names = metricNames(study);
  const goals = names.map((name, i) => `${study.directions[i] ?? ''} ${name}`).join(', ');
  const backbone = config === undefined ? [] : [config.backbone];
  const id = status.study8 === null ? [] : [`study-${status.study8}`];
  return {
    title: study.studyName,
    subtitle: [goals, ...backbone, ...id].join(' · '),
    cards: cards(study, status, names),
    sections: [
      { title: names.length > 1 ? 'Pareto front' : 'Best trial', table: bestTable(status, names) },
      { title: 'Figures', figures },
      { title: 'Parameters', table: await parameterTable(study) },
      ...stageSections(results),
      backupSection(status.backup, config),
      trialSection(study, names, highlight),
    ],
    highlight,
    footer: `Made by resweep ${VERSION} at ${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC.`,
  };
}

function metricNames(study: Study): string[] {
  return study.directions.map(
    (_, i) => study.metricNames?.[i] ?? (study.directions.length > 1 ? `objective ${i}` : 'value'),
  );
}

function cards(study: Study, status: StudyStatus, names: readonly string[]): ReportCard[] {
  const { trials, best, target, paretoFront } = status;
  const starts = study.history.all.flatMap((trial) => trial.datetimeStart?.getTime() ?? []);
  const ends = study.history.all.flatMap((trial) => trial.datetimeComplete?.getTime() ?? []);
  const span = ends.length === 0 ? undefined : max(ends) - min(starts);
  const failed = trials.fail - trials.interrupted;
  return [
    paretoFront === undefined
      ? {
          label: `Best ${names[0] ?? 'value'}`,
          value: best?.value === undefined ? '–' : shortNumber(best.value),
          note: best === null ? undefined : `trial ${best.number}`,
        }
      : { label: 'On the Pareto front', value: String(paretoFront.length), note: 'trials' },
    {
      label: 'Finished trials',
      value: target === null ? String(trials.finished) : `${trials.finished} of ${target}`,
      note: `${trials.complete} complete, ${trials.pruned} pruned`,
    },
    {
      label: 'Failed',
      value: String(failed),
      tone: failed > 0 ? 'warn' : 'plain',
      note: trials.interrupted > 0 ? `and ${trials.interrupted} interrupted` : undefined,
    },
    { label: 'From first to last', value: span === undefined ? '–' : durationText(span) },
    safetyCard(status),
  ];
}

function safetyCard({ backup, trials }: StudyStatus): ReportCard {
  const label = 'Backed up';
  const saved = backup.filter(({ lastVerifiedAt }) => lastVerifiedAt !== null);
  const most = saved.reduce((a, b) => Math.max(a, b.finishedTrials ?? 0), 0);
  if (saved.length === 0) return { label, value: 'nowhere', tone: 'bad' };
  const ended = trials.complete + trials.pruned + trials.fail;
  return {
    label,
    value: `${most} trials`,
    tone: most >= ended ? 'good' : 'warn',
    note: saved.map(({ name }) => name).join(', '),
  };
}

function bestTable({ best, paretoFront }: StudyStatus, names: readonly string[]): ReportTable {
  const trials = paretoFront ?? (best === null ? [] : [best]);
  const params = [...new Set(trials.flatMap((trial) => Object.keys(trial.params)))];
  return {
    columns: ['trial', ...names, ...params],
    numeric: [0, ...names.map((_, i) => i + 1)],
    rows: trials.map((trial) => [
      String(trial.number),
      ...names.map((_, i) => shortNumber(trial.values?.[i] ?? trial.value ?? NaN)),
      ...params.map((name) => valueText(trial.params[name])),
    ]),
  };
}

async function parameterTable(study: Study): Promise<ReportTable> {
  const distributions = new Map<string, Distribution>();
  const seen = new Map<string, number>();
  for (const trial of study.history.all) {
    for (const [name, distribution] of Object.entries(trial.distributions)) {
      distributions.set(name, distribution);
      seen.set(name, (seen.get(name) ?? 0) + 1);
    }
  }
  const importances = await importanceByName(study);
  const names = [...distributions.keys()].sort(
    (a, b) => (importances.get(b) ?? 0) - (importances.get(a) ?? 0) || (a < b ? -1 : 1),
  );
  return {
    columns: ['parameter', 'range', 'importance', 'trials'],
    numeric: [2, 3],
    rows: names.map((name) => [
      name,
      rangeText(distributions.get(name)),
      importances.has(name) ? (importances.get(name) ?? 0).toFixed(3) : '–',
      String(seen.get(name) ?? 0),
    ]),
  };
}

async function importanceByName(study: Study): Promise<Map<string, number>> {
  try {
    const { series } = await plotParamImportances(study, study.directions.length > 1 ? { objective: 0 } : {});
    return new Map((series[0]?.params ?? []).map((name, i) => [name, series[0]?.importances[i] ?? 0]));
  } catch {
    return new Map();
  }
}

/** A distribution in words: `0.0001 … 0.1, logarithmic`. */
export function rangeText(distribution: Distribution | undefined): string {
  if (distribution === undefined) return '';
  if (distribution.kind === 'categorical') return distribution.choices.map(String).join(', ');
  const { low, high, log, step } = distribution;
  const steps =
    step === undefined || (distribution.kind === 'int' && step === 1) ? '' : `, steps of ${shortNumber(step)}`;
  return `${shortNumber(low)} … ${shortNumber(high)}${log ? ', logarithmic' : ''}${distribution.kind === 'int' ? ', whole' : ''}${steps}`;
}

function backupSection(backup: readonly BackupHealth[], config: SweepConfig | undefined): ReportSection {
  const wanted = config?.backup.enabled === true ? config.backup.destinations.map(({ name }) => name) : [];
  const missing = wanted.filter((name) => !backup.some((one) => one.name === name));
  if (backup.length + missing.length === 0) {
    return { title: 'Backup', text: 'No backup of this study is known here.' };
  }
  return {
    title: 'Backup',
    table: {
      columns: ['destination', 'last good copy', 'how confirmed', 'finished trials', 'size', 'last error'],
      numeric: [3, 4],
      rows: [
        ...backup.map((one) => [
          one.name,
          one.lastVerifiedAt === null ? { text: 'none', tone: 'bad' as const } : timeText(one.lastVerifiedAt),
          confirmation(one),
          one.finishedTrials === null ? '–' : String(one.finishedTrials),
          one.bytes === null ? '–' : bytesText(one.bytes),
          one.error === null ? '–' : { text: one.error, tone: 'bad' as const },
        ]),
        ...missing.map((name) => [name, { text: 'none', tone: 'bad' as const }, '–', '–', '–', '–']),
      ],
    },
  };
}

function confirmation({ verified }: BackupHealth): { text: string; tone: 'good' | 'warn' | 'bad' } {
  if (verified === 'verified') return { text: 'verified', tone: 'good' };
  if (verified === 'handedToMount') return { text: 'in the mount, upload unconfirmed', tone: 'warn' };
  return { text: 'not confirmed', tone: 'bad' };
}

function trialSection(study: Study, names: readonly string[], best: readonly number[]): ReportSection {
  const [direction] = study.directions;
  const sign = direction === 'maximize' ? -1 : 1;
  const rank = (values: readonly number[] | undefined): number => sign * (values?.[0] ?? Infinity * sign);
  // Infinities cannot be subtracted from each other.
  const order = (a: number, b: number): number => (a < b ? -1 : a > b ? 1 : 0);
  const listed = study.history.all
    .filter((trial) => trial.state === 'COMPLETE')
    .sort(
      (a, b) =>
        Number(b.isFeasible) - Number(a.isFeasible) || order(rank(a.values), rank(b.values)) || a.number - b.number,
    )
    .slice(0, LISTED_TRIALS)
    .map(trialRow);
  const failures = study.history.all
    .filter((trial) => trial.state === 'FAIL' && trial.systemAttrTexts[TRIAL_ATTRIBUTE.failure] !== undefined)
    .slice(-5)
    .map(trialRow);
  const all = [...listed, ...failures];
  return {
    title: 'Trials',
    text: `The best ${listed.length}${failures.length > 0 ? ` and the last ${failures.length} that failed` : ''} of ${study.history.all.length}.`,
    table: {
      columns: ['trial', 'state', ...names, 'time', 'parameters'],
      numeric: [0, ...names.map((_, i) => i + 2)],
      rows: all.map((row) => [
        best.includes(row.number) ? { text: String(row.number), tone: 'good' as const } : String(row.number),
        stateCell(row.state, study.history.all[row.number]),
        ...names.map((_, i) => (row.values === null ? '–' : shortNumber(row.values[i] ?? NaN))),
        row.durationSeconds === null ? '–' : trialTime(row.durationSeconds),
        row.reason ??
          Object.entries(row.params)
            .map(([name, value]) => `${name} ${valueText(value)}`)
            .join(', '),
      ]),
    },
  };
}

/** Trials of milliseconds differ too. */
function trialTime(seconds: number): string {
  return seconds < 0.95 ? `${Math.round(seconds * 1000)} ms` : durationText(seconds * 1000);
}

function stateCell(state: string, trial: FrozenTrial | undefined): ReportTable['rows'][number][number] {
  if (state === 'FAIL') return { text: 'failed', tone: 'bad' };
  if (trial?.isFeasible === false) return { text: 'violates a constraint', tone: 'warn' };
  return state.toLowerCase();
}

function valueText(value: JsonValue | undefined): string {
  if (typeof value === 'number') return shortNumber(value);
  if (value === undefined) return '';
  return typeof value === 'object' && value !== null ? stringifyJson(value) : String(value);
}

function min(values: readonly number[]): number {
  return values.reduce((a, b) => Math.min(a, b), Infinity);
}

function max(values: readonly number[]): number {
  return values.reduce((a, b) => Math.max(a, b), -Infinity);
}
