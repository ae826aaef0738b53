import { UsageError } from '../../core/errors.js';
import type { FrozenTrial } from '../../core/frozen-trial.js';
import type { TrialState } from '../../core/trial-state.js';
import type { FigureTable } from './figure-table.js';
import type { PlottedStudy } from './plot-target.js';

/** When a trial ran. */
export interface TimelineBar {
  readonly number: number;
  /** Failed only because its process went away: INTERRUPTED. */
  readonly state: TrialState | 'INTERRUPTED';
  /** Milliseconds since 1970, UTC. */
  readonly start: number;
  readonly end: number;
  readonly isFeasible: boolean;
  /** Place among the trials that ran at the same time, from 0: as many lanes as workers were busy at once. */
  readonly lane: number;
  /** Of a figure thinned for drawing: how many short trials in a row it stands for. @default 1 */
  readonly trials?: number | undefined;
}

export interface TimelineFigure {
  readonly kind: 'timeline';
  readonly bars: readonly TimelineBar[];
}

export interface TimelineOptions {
  /** Only so many of the newest trials. @default all */
  readonly nRecentTrials?: number | undefined;
  /** Milliseconds since 1970 that count as now. */
  readonly now?: number | undefined;
}

/** Length of a bar without one of its ends. */
const SMALL_MS = 1_000;

/** Data of Optuna's `plot_timeline`, with a lane for each bar. @throws UsageError where nRecentTrials is below 1 */
export async function plotTimeline(study: PlottedStudy, options: TimelineOptions = {}): Promise<TimelineFigure> {
  const { nRecentTrials, now = Date.now() } = options;
  if (nRecentTrials !== undefined && !(nRecentTrials >= 1)) {
    throw new UsageError(`nRecentTrials must be 1 or more, but got ${nRecentTrials}.`);
  }
  await study.sync?.();
  const all = study.history.all.filter(Boolean).map(timesOf);
  const last = endOf(all, now);
  const shown = nRecentTrials === undefined ? all : all.slice(-nRecentTrials);
  const bars = shown.map(({ trial, begun = last, ended }) => {
    const end = trial.state === 'RUNNING' ? last + SMALL_MS : (ended ?? begun + SMALL_MS);
    const state = trial.isInterrupted ? ('INTERRUPTED' as const) : trial.state;
    return { number: trial.number, state, start: begun, end, isFeasible: trial.isFeasible };
  });
  const lanes = lanesOf(bars);
  return { kind: 'timeline', bars: bars.map((bar, i) => ({ ...bar, lane: lanes[i] ?? 0 })) };
}

interface TrialTimes {
  readonly trial: FrozenTrial;
  readonly begun: number | undefined;
  readonly ended: number | undefined;
}

/** Read once: dates are texts in the database. */
function timesOf(trial: FrozenTrial): TrialTimes {
  return { trial, begun: trial.datetimeStart?.getTime(), ended: trial.datetimeComplete?.getTime() };
}

/** Where running trials end: now, unless they look abandoned; then when the last trial ended. */
function endOf(all: readonly TrialTimes[], now: number): number {
  let longest: number | undefined;
  let last: number | undefined;
  for (const { begun, ended } of all) {
    if (ended === undefined) continue;
    if (last === undefined || ended > last) last = ended;
    if (begun !== undefined && (longest === undefined || ended - begun > longest)) longest = ended - begun;
  }
  const bound = longest === undefined ? Infinity : 5 * longest;
  const isRunning = all.some(({ trial, begun }) => {
    if (trial.state !== 'RUNNING') return false;
    return longest === undefined || (begun !== undefined && now - begun < bound);
  });
  return isRunning ? now : (last ?? now);
}

/** The lowest lane that is free when a bar begins, in the order of beginning. */
function lanesOf(bars: readonly { readonly start: number; readonly end: number }[]): number[] {
  const order = [...bars.keys()].sort((a, b) => (bars[a]?.start ?? 0) - (bars[b]?.start ?? 0) || a - b);
  const lanes = new Array<number>(bars.length).fill(0);
  const freeFrom: number[] = [];
  for (const i of order) {
    const { start = 0, end = 0 } = bars[i] ?? {};
    let lane = freeFrom.findIndex((free) => free <= start);
    if (lane < 0) lane = freeFrom.length;
    freeFrom[lane] = Math.max(end, start);
    lanes[i] = lane;
  }
  return lanes;
}

export function timelineTable(figure: TimelineFigure): FigureTable {
  return {
    columns: ['trial', 'state', 'start', 'end', 'seconds', 'lane', 'feasible'],
    rows: figure.bars.map(({ number, state, start, end, lane, isFeasible }) => [
      number,
      state,
      new Date(start).toISOString(),
      new Date(end).toISOString(),
      (end - start) / 1000,
      lane,
      isFeasible,
    ]),
  };
}
