import type { JsonValue } from '../../core/json.js';
import { stringifyJson } from '../../core/json.js';
import { compareStudies, compareTrials, type Comparison, type StudySide } from '../../app/views/compare.js';
import type { TrialRow } from '../../app/views/study-report.js';
import type { CompareArguments } from '../arguments.js';
import { outputOf } from '../common-options.js';
import { formatDuration, formatNumber, type Output } from '../output.js';

type Line = readonly [name: string, a: string, b: string];

/** `resweep compare A B`. */
export async function compare(args: CompareArguments): Promise<void> {
  const output = outputOf(args);
  const [studyA, studyB = studyA] = args.study;
  if (isNumber(args.a) && isNumber(args.b)) {
    const found = await compareTrials({
      numbers: [Number(args.a), Number(args.b)],
      target: args.target,
      studyName: studyA,
    });
    if (output.json) output.document(found as unknown as JsonValue);
    else showTrials(found, found.metricNames, output);
    return;
  }
  const found = await compareStudies({ target: args.a, studyName: studyA }, { target: args.b, studyName: studyB });
  if (output.json) output.document(found as unknown as JsonValue);
  else showStudies(found, output);
}

function isNumber(text: string): boolean {
  return /^\d+$/.test(text);
}

function showTrials(found: Comparison<TrialRow>, metricNames: readonly string[] | null, output: Output): void {
  const { a, b } = found;
  const count = Math.max(a.values?.length ?? 0, b.values?.length ?? 0);
  const lines: Line[] = [
    ['state', a.state.toLowerCase(), b.state.toLowerCase()],
    ...Array.from({ length: count }, (_, i): Line => {
      const name = metricNames?.[i] ?? (count === 1 ? 'value' : `value ${i}`);
      return [name, number(a.values?.[i]), number(b.values?.[i])];
    }),
    ['time', seconds(a.durationSeconds), seconds(b.durationSeconds)],
    ['last step', number(a.lastStep ?? undefined), number(b.lastStep ?? undefined)],
  ];
  show([`trial ${a.number}`, `trial ${b.number}`], lines, found, output);
}

function showStudies(found: Comparison<StudySide>, output: Output): void {
  const { a, b } = found;
  const both = (name: string, of: (side: StudySide) => string): Line => [name, of(a), of(b)];
  const lines: Line[] = [
    both('goal', (side) => side.directions.join(', ')),
    both('finished', (side) => String(side.trials.finished)),
    both('complete', (side) => String(side.trials.complete)),
    both('pruned', (side) => String(side.trials.pruned)),
    both('failed', (side) => String(side.trials.fail - side.trials.interrupted)),
    both(a.metricNames?.length === 1 ? `best ${a.metricNames[0] ?? ''}` : 'best', (side) =>
      side.best === null ? '–' : (side.best.values ?? [side.best.value ?? NaN]).map(formatNumber).join(', '),
    ),
    both('of trial', (side) => number(side.best?.number)),
    ...(a.front === null && b.front === null ? [] : [both('Pareto front', (side) => number(side.front ?? undefined))]),
    both('median time', (side) => seconds(side.medianSeconds)),
  ];
  const name = (side: StudySide, mark: string): string =>
    a.study === b.study ? `${side.study} (${mark})` : side.study;
  show([name(a, 'A'), name(b, 'B')], lines, found, output);
}

function show(
  headings: readonly [string, string],
  lines: readonly Line[],
  found: Comparison<unknown>,
  output: Output,
): void {
  const params = Object.entries(found.params).map(([name, { a, b, same }]): readonly string[] => [
    name,
    shown(a),
    shown(b),
    same ? '' : '≠',
  ]);
  output.table(['', ...headings, ''], [...lines.map((line) => [...line, '']), ...params]);
  if (found.better !== null) {
    const by = found.difference === null ? '' : `, by ${formatNumber(Math.abs(found.difference))}`;
    output.print(`${headings[found.better === 'a' ? 0 : 1]} is better${by}.`);
  }
}

function number(value: number | undefined): string {
  return value === undefined ? '–' : formatNumber(value);
}

function seconds(value: number | null): string {
  return value === null ? '–' : formatDuration(value * 1000);
}

function shown(value: JsonValue): string {
  if (value === null) return '–';
  return typeof value === 'number' ? formatNumber(value) : typeof value === 'string' ? value : stringifyJson(value);
}
