import type { JSX } from 'preact';
import { useContext } from 'preact/hooks';

import type { BenchmarkReport, ConversionResult, Selection, StageResult, TrainingResult } from '../api-types.js';
import { StudyContext, type TabProps } from './contexts.js';
import { curveOf, CurvesCard } from './curve-chart.js';
import { bytesText, countText, counted, durationText, numberText, timeText, valueText } from './format.js';
import { JsonView } from './json-view.js';

interface StageViewProps extends TabProps {
  readonly stage: StageResult['stage'];
  readonly results: readonly StageResult[];
}

/** Results of one stage; what has another shape than resweep's own is shown as it is. */
export function StageView({ study, stage, results }: StageViewProps): JSX.Element {
  const own = results.filter(({ content }) => isOwn(content));
  const others = results.filter(({ content }) => !isOwn(content));
  return (
    <>
      {own.length > 0 && stage === 'benchmark' && <Benchmarks results={own} />}
      {own.map((result) => {
        if (stage === 'selection') return <Chosen key={result.place} study={study} result={result} />;
        if (stage === 'training') return <Training key={result.place} study={study} result={result} />;
        if (stage === 'conversion') return <Conversion key={result.place} result={result} />;
        return null;
      })}
      {others.length > 0 && (
        <div class="grid">
          {others.map((result) => (
            <div key={result.place} class="card">
              <Place place={result.place} />
              <JsonView value={result.content} />
            </div>
          ))}
        </div>
      )}
    </>
  );
}

function isOwn(content: unknown): boolean {
  return typeof content === 'object' && content !== null && 'format' in content && content.format === 1;
}

function Place({ place }: { readonly place: string }): JSX.Element {
  return <code class="soft small place">outputs/{place}</code>;
}

function TrialLink({ number }: { readonly number: number }): JSX.Element {
  const { id } = useContext(StudyContext);
  return <a href={`#/study/${id}/trial/${number}`}>Trial {number}</a>;
}

function Pairs({
  rows,
}: {
  readonly rows: readonly (readonly [string, JSX.Element | string | number])[];
}): JSX.Element {
  return (
    <dl class="pairs">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Chosen({ study, result }: TabProps & { readonly result: StageResult }): JSX.Element {
  const selection = result.content as unknown as Selection;
  const pareto = new Set(selection.pareto.map(({ label }) => label));
  const columns = columnsOf(study, selection);
  return (
    <div class="card">
      <div class="card-head">
        <h3>
          <TrialLink number={selection.trial} />
        </h3>
        {selection.isBestOfAll && <span class="chip small">best of all backbones</span>}
        <span class="soft">{timeText(selection.selected_at)}</span>
      </div>
      <p class="reason">{selection.reason}</p>
      <div class="columns">
        <Pairs rows={columns.map((name) => [name, inUnit(name, selection.numbers[name])])} />
        <Pairs rows={Object.entries(selection.params).map(([name, value]) => [name, valueText(scalar(value))])} />
      </div>
      <h4>Chosen from</h4>
      <Table
        label="Candidates"
        columns={['candidate', ...columns]}
        rows={selection.candidates.map((row) => ({
          key: `${row.study8} ${row.trial}`,
          best: row.study8 === selection.study8 && row.trial === selection.trial,
          cells: [
            <>
              {row.study8 === selection.study8 ? <TrialLink number={row.trial} /> : row.label}
              {pareto.has(row.label) && <span class="chip small after">Pareto front</span>}
            </>,
            ...columns.map((name) => inUnit(name, row.numbers[name])),
          ],
        }))}
      />
      {selection.left_out.length > 0 && (
        <>
          <h4>Left out</h4>
          <Pairs rows={selection.left_out.map(({ label, reason }) => [label, reason])} />
        </>
      )}
      <Place place={result.place} />
    </div>
  );
}

/** Metrics first, then what a benchmark measured: as many as a table takes. */
function columnsOf(study: TabProps['study'], { numbers, candidates }: Selection): string[] {
  const known = new Set([...Object.keys(numbers), ...candidates.flatMap((row) => Object.keys(row.numbers))]);
  const wanted = [...study.metricNames, 'latency_p50', 'latency_p95', 'throughput', 'peak_memory', 'model_size'];
  return [...new Set([...wanted, 'parameters'])].filter((name) => known.has(name));
}

function inUnit(name: string, value: number | undefined): string {
  if (value === undefined) return '–';
  if (name.startsWith('latency')) return `${numberText(value)} ms`;
  if (name === 'throughput') return `${numberText(Math.round(value))}/s`;
  if (name === 'peak_memory' || name === 'model_size') return bytesText(value);
  return Number.isInteger(value) ? countText(value) : numberText(value);
}

function scalar(value: unknown): string | number | boolean | null {
  return typeof value === 'bigint' ? String(value) : (value as string | number | boolean | null);
}

function Benchmarks({ results }: { readonly results: readonly StageResult[] }): JSX.Element {
  const reports = results.map(({ content }) => content as unknown as BenchmarkReport);
  const sizes = [...new Set(reports.flatMap(({ throughput }) => Object.keys(throughput)))];
  const machines = new Set(
    reports.map(({ machine }) => `${machine.cpu}, ${counted(machine.cores, 'core')}, Node ${machine.node}`),
  );
  const best = Math.min(...reports.map(({ latency }) => latency.p50));
  return (
    <div class="card">
      <Table
        label="Benchmarks"
        columns={[
          'trial',
          'p50',
          'p95',
          'p99',
          ...sizes.map((size) => `rows/s at ${size}`),
          'first call',
          'peak memory',
          'model',
          'parameters',
          'backend',
        ]}
        rows={reports.map((report) => ({
          key: String(report.trial),
          best: report.latency.p50 === best && reports.length > 1,
          cells: [
            <TrialLink number={report.trial} />,
            ...[report.latency.p50, report.latency.p95, report.latency.p99].map((ms) => `${numberText(ms)} ms`),
            ...sizes.map((size) => inUnit('', Math.round(report.throughput[size] ?? NaN))),
            `${numberText(report.warmup.first)} ms`,
            bytesText(report.peak_memory),
            bytesText(report.model.bytes),
            countText(report.model.parameters),
            report.backend,
          ],
        }))}
      />
      <p class="soft small foot">
        Latency of one call, {reports[0]?.settings.repeats} calls after {reports[0]?.settings.warmup} to warm up.{' '}
        {[...machines].join('; ')}.
      </p>
    </div>
  );
}

function Training({ study, result }: TabProps & { readonly result: StageResult }): JSX.Element {
  const training = result.content as unknown as TrainingResult;
  const metrics = training.metrics ?? {};
  const deviations = (metrics['standard_deviations'] ?? {}) as Readonly<Record<string, number>>;
  const numbers = Object.entries(metrics).filter(([, value]) => typeof value === 'number') as [string, number][];
  const several = training.seeds.length > 1;
  const { final } = training;
  return (
    <div class="grid wide stage">
      <div class="card">
        <div class="card-head">
          <h3>
            <TrialLink number={training.trial} /> trained on {final.data.replace('+', ' + ')}
          </h3>
          <span class="soft">{timeText(training.trained_at)}</span>
        </div>
        <Pairs
          rows={numbers.map(([name, value]) => {
            const spread = deviations[name];
            const text = Number.isInteger(value) ? countText(value) : numberText(value);
            return [name, spread === undefined || spread === 0 ? text : `${text} ± ${numberText(spread)}`];
          })}
        />
        {several && (
          <>
            <h4>Seeds</h4>
            <Pairs
              rows={training.seeds.map(({ seed, seconds, curve }, i) => [
                `${seed}${i === training.kept_seed ? ', kept' : ''}`,
                `${counted(curve.length, 'epoch')} in ${durationText(seconds)}`,
              ])}
            />
          </>
        )}
        <Place place={result.place} />
      </div>
      <CurvesCard
        title={`${study.metricNames[0] ?? 'Value'} by epoch`}
        note={several ? `${training.seeds.length} seeds, the kept one brought out` : ''}
        curves={training.seeds.map(({ curve }, i) => curveOf(i, curve))}
        highlight={training.kept_seed}
      />
    </div>
  );
}

function Conversion({ result }: { readonly result: StageResult }): JSX.Element {
  const { kind, file, bytes, parameters, input, checked, seconds, converted_at } =
    result.content as unknown as ConversionResult;
  return (
    <div class="card">
      <div class="card-head">
        <h3>{kind.toUpperCase()}</h3>
        {checked === undefined || checked === null ? (
          <span class="chip small warn">not checked</span>
        ) : (
          <span class="good strong">✓ checked</span>
        )}
        <span class="soft">{timeText(converted_at)}</span>
      </div>
      <Pairs
        rows={[
          ...(file === undefined ? [] : [['file', file] as const]),
          ...(bytes === undefined ? [] : [['size', bytesText(bytes)] as const]),
          ...(parameters === undefined ? [] : [['parameters', countText(parameters)] as const]),
          ...(input === undefined
            ? []
            : [['input', `${input.name}: ${input.type} [${input.shape.join(', ')}]`] as const]),
          ...(checked === undefined || checked === null
            ? []
            : [
                ['checked by', checked.by] as const,
                [
                  `largest difference on ${checked.rows} rows`,
                  `${numberText(checked.max_difference)} (accepted: ${numberText(checked.tolerance)})`,
                ] as const,
              ]),
          ['took', durationText(seconds)],
        ]}
      />
      <Place place={result.place} />
    </div>
  );
}

interface Row {
  readonly key: string;
  readonly best: boolean;
  readonly cells: readonly (JSX.Element | string)[];
}

/** The first column names the row, the others are numbers. */
function Table(props: {
  readonly label: string;
  readonly columns: readonly string[];
  readonly rows: readonly Row[];
}): JSX.Element {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={props.label}>
      <table>
        <thead>
          <tr>
            {props.columns.map((name, i) => (
              <th key={name} scope="col" class={i === 0 ? '' : 'n'}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {props.rows.map(({ key, best, cells }) => (
            <tr key={key} class={best ? 'best-row' : ''}>
              {cells.map((cell, i) => (
                <td key={i} class={i === 0 ? '' : 'n'}>
                  {cell}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
