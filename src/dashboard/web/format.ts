import { shortNumber } from '../../report/charts/chart-parts.js';
import type { ResultNumber, Scalar, ShownState } from '../api-types.js';

/** A value of a parameter or an objective. */
export function valueText(value: Scalar | undefined): string {
  if (value === undefined) return '';
  if (value === null) return 'null';
  return typeof value === 'number' ? shortNumber(value) : String(value);
}

export function numberText(value: ResultNumber | undefined): string {
  if (value === null || value === undefined) return '–';
  return typeof value === 'number' ? shortNumber(value) : value === 'Infinity' ? '∞' : '-∞';
}

/** `140 ms`, `12 s`, `3 min 5 s`, `2 h 10 min`. */
export function durationText(seconds: number | null): string {
  if (seconds === null) return '–';
  if (seconds < 0.95) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 10) return `${Number(seconds.toFixed(1))} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** `just now`, `38 s ago`, `5 min ago`, `3 days ago`. */
export function agoText(iso: string | null): string {
  if (iso === null || iso === '') return 'never';
  const seconds = Math.max(0, (Date.now() - Date.parse(iso)) / 1000);
  if (seconds < 5) return 'just now';
  if (seconds < 60) return `${Math.round(seconds)} s ago`;
  if (seconds < 3_600) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.round(seconds / 3_600)} h ago`;
  const days = Math.round(seconds / 86_400);
  return `${days} day${days === 1 ? '' : 's'} ago`;
}

export function bytesText(bytes: number | null): string {
  if (bytes === null) return '–';
  if (bytes < 1000) return `${bytes} B`;
  const units = ['kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length, Math.floor(Math.log10(bytes) / 3));
  return `${Number((bytes / 1000 ** power).toPrecision(3))} ${units[power - 1] ?? ''}`;
}

export function timeText(iso: string | null): string {
  return iso === null ? '–' : new Date(iso).toLocaleString([], { dateStyle: 'medium', timeStyle: 'medium' });
}

export const STATE_WORDS: Readonly<Record<ShownState, string>> = {
  COMPLETE: 'complete',
  PRUNED: 'pruned',
  FAIL: 'failed',
  RUNNING: 'running',
  WAITING: 'waiting',
  INTERRUPTED: 'interrupted',
};

/** With commas between thousands. By hand: a browser's first use of Intl takes it a tenth of a second. */
export function countText(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `1 trial`, `2 trials`. */
export function counted(count: number, word: string): string {
  return `${countText(count)} ${word}${count === 1 ? '' : 's'}`;
}
