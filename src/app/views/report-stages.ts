import type { JsonValue } from '../../core/json.js';
import { shortNumber } from '../../report/charts/chart-parts.js';
import type { ReportSection } from '../../report/report-page.js';
import { bytesText, timeText } from './format-text.js';
import type { BenchmarkReport, ConversionResult, Selection, StageResult, TrainingResult } from './stage-results.js';

const ms = (value: number): string => `${shortNumber(value)} ms`;

/** Sections of a report for the stages after the sweep; what has another shape than resweep's own is left out. */
export function stageSections(results: readonly StageResult[]): ReportSection[] {
  const of = (stage: StageResult['stage']): JsonValue[] =>
    results.filter((result) => result.stage === stage && isOwn(result.content)).map(({ content }) => content);
  const benchmarks = of('benchmark') as unknown as BenchmarkReport[];
  return [
    ...(of('selection') as unknown as Selection[]).map(selectionSection),
    ...(benchmarks.length === 0 ? [] : [benchmarkSection(benchmarks)]),
    ...(of('training') as unknown as TrainingResult[]).map(trainingSection),
    ...(of('conversion') as unknown as ConversionResult[]).map(conversionSection),
  ];
}

function isOwn(content: JsonValue): boolean {
  return typeof content === 'object' && content !== null && 'format' in content && content['format'] === 1;
}

function selectionSection({ trial, reason, params, candidates, pareto, numbers }: Selection): ReportSection {
  const names = Object.keys(numbers);
  const front = new Set(pareto.map(({ label }) => label));
  const settings = Object.entries(params).map(
    ([name, value]) => `${name} ${typeof value === 'number' ? shortNumber(value) : String(value)}`,
  );
  return {
    title: 'Chosen configuration',
    text: `Trial ${trial}: ${reason}. ${settings.join(', ')}.`,
    table: {
      columns: ['candidate', 'Pareto front', ...names],
      numeric: names.map((_, i) => i + 2),
      rows: candidates.map(({ label, trial: number, numbers: own }) => [
        number === trial ? { text: label, tone: 'good' as const } : label,
        front.has(label) ? 'yes' : '',
        ...names.map((name) => (own[name] === undefined ? '–' : shortNumber(own[name]))),
      ]),
    },
  };
}

function benchmarkSection(reports: readonly BenchmarkReport[]): ReportSection {
  const sizes = [...new Set(reports.flatMap(({ throughput }) => Object.keys(throughput)))];
  const machines = new Set(
    reports.map(({ machine }) => `${machine.cpu}, ${machine.cores} cores, Node ${machine.node}`),
  );
  const columns = ['trial', 'p50', 'p95', 'p99', ...sizes.map((size) => `rows/s at ${size}`), 'peak memory', 'model'];
  return {
    title: 'Benchmarks',
    text: `Measured on ${[...machines].join('; ')}.`,
    table: {
      columns: [...columns, 'parameters', 'backend'],
      numeric: [...columns.keys(), columns.length],
      rows: reports.map(({ trial, latency, throughput, peak_memory, model, backend }) => [
        String(trial),
        ms(latency.p50),
        ms(latency.p95),
        ms(latency.p99),
        ...sizes.map((size) => (throughput[size] === undefined ? '–' : shortNumber(Math.round(throughput[size])))),
        bytesText(peak_memory),
        bytesText(model.bytes),
        String(model.parameters),
        backend,
      ]),
    },
  };
}

function trainingSection({ trial, final, seeds, metrics = {} }: TrainingResult): ReportSection {
  const deviations = (metrics['standard_deviations'] ?? {}) as Readonly<Record<string, number>>;
  const numbers = Object.entries(metrics).flatMap(([name, value]) =>
    typeof value === 'number' ? [[name, value] as const] : [],
  );
  const spread = seeds.length > 1;
  return {
    title: 'Final training',
    text: `Trial ${trial} trained on ${final.data}, ${seeds.length} ${seeds.length === 1 ? 'seed' : 'seeds'}.`,
    table: {
      columns: spread ? ['metric', 'mean', 'standard deviation'] : ['metric', 'value'],
      numeric: [1, 2],
      rows: numbers.map(([name, value]) => [
        name,
        shortNumber(value),
        ...(spread ? [deviations[name] === undefined ? '–' : shortNumber(deviations[name])] : []),
      ]),
    },
  };
}

function conversionSection(result: ConversionResult): ReportSection {
  const { kind, file = '–', bytes, checked, converted_at } = result;
  return {
    title: 'Conversion',
    table: {
      columns: ['format', 'file', 'size', 'checked by', 'largest difference', 'accepted', 'made'],
      numeric: [2, 4, 5],
      rows: [
        [
          kind,
          file,
          bytes === undefined ? '–' : bytesText(bytes),
          checked ? checked.by : { text: 'not checked', tone: 'warn' as const },
          checked ? shortNumber(checked.max_difference) : '–',
          checked ? shortNumber(checked.tolerance) : '–',
          timeText(converted_at),
        ],
      ],
    },
  };
}
