import type { TimelineBar } from '../../analysis/plots/timeline.js';

/** Colours of a chart. Every pair that must be told apart differs in lightness too, for eyes that see fewer hues and for print. */
export interface ChartTheme {
  readonly name: 'light' | 'dark';
  readonly ink: string;
  readonly soft: string;
  readonly line: string;
  /** What lies behind the chart. */
  readonly card: string;
  /** Points and lines of what was measured. */
  readonly mark: string;
  /** The best, the front, what is chosen. */
  readonly best: string;
  readonly muted: string;
  readonly warn: string;
  /** From the worst to the best. */
  readonly ramp: readonly string[];
  /** Several series beside each other. */
  readonly series: readonly string[];
  readonly states: Readonly<Record<TimelineBar['state'], string>>;
}

export const LIGHT: ChartTheme = {
  name: 'light',
  ink: '#1c2430',
  soft: '#5b6878',
  line: '#dfe5ec',
  card: '#ffffff',
  mark: '#3d78b8',
  best: '#c2410c',
  muted: '#a9b4c0',
  warn: '#b42318',
  ramp: ['#e3ecf5', '#b7d0e6', '#7fb0d6', '#4387bd', '#1f5f9c', '#0b3a6f'],
  series: ['#3d78b8', '#c2410c', '#2a9d8f', '#7c5cbf', '#b8860b', '#5b6878'],
  states: {
    COMPLETE: '#3d78b8',
    PRUNED: '#a9b4c0',
    FAIL: '#b42318',
    INTERRUPTED: '#e0932b',
    RUNNING: '#2a9d8f',
    WAITING: '#d5dce4',
  },
};

export const DARK: ChartTheme = {
  name: 'dark',
  ink: '#e6ebf2',
  soft: '#98a6b8',
  line: '#2b3541',
  card: '#171d25',
  mark: '#6aa5de',
  best: '#ff9b5e',
  muted: '#56636f',
  warn: '#ff7b72',
  ramp: ['#22303f', '#2a4a68', '#346a95', '#4a90c4', '#7cbbe8', '#c5e6ff'],
  series: ['#6aa5de', '#ff9b5e', '#5cc9b8', '#b59cf0', '#e0b64a', '#98a6b8'],
  states: {
    COMPLETE: '#6aa5de',
    PRUNED: '#56636f',
    FAIL: '#ff7b72',
    INTERRUPTED: '#f0b45c',
    RUNNING: '#5cc9b8',
    WAITING: '#39444f',
  },
};

/** Colour at a place between 0 and 1 of a ramp. */
export function rampColor(ramp: readonly string[], place: number): string {
  const at = Math.min(1, Math.max(0, Number.isNaN(place) ? 0 : place)) * (ramp.length - 1);
  const low = Math.min(Math.floor(at), ramp.length - 2);
  const [a, b] = [channels(ramp[low] ?? '#000000'), channels(ramp[low + 1] ?? '#000000')];
  const mixed = a.map((value, i) => Math.round(value + ((b[i] ?? 0) - value) * (at - low)));
  return `#${mixed.map((value) => value.toString(16).padStart(2, '0')).join('')}`;
}

function channels(color: string): number[] {
  return [1, 3, 5].map((i) => parseInt(color.slice(i, i + 2), 16));
}
