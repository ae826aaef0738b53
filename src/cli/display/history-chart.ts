import type { StudyDirection } from '../../core/study-direction.js';
import { formatNumber } from '../output.js';

/** One finished trial in the picture. */
export interface ChartPoint {
  readonly number: number;
  readonly value: number;
  readonly pruned: boolean;
}

/**
 * The history of a sweep as lines of text: every trial a point (`•` complete, `·` pruned), the best value so far a staircase (`─`).
 * The worst tenth is left out of the scale, so that one diverged trial does not flatten the rest.
 * @param size columns and rows of the whole picture, axis included
 */
export function historyChart(
  points: readonly ChartPoint[],
  direction: StudyDirection,
  size: { width: number; height: number },
): string[] {
  const finite = points.filter((point) => Number.isFinite(point.value)).sort((a, b) => a.number - b.number);
  const [first] = finite;
  const last = finite[finite.length - 1];
  if (first === undefined || last === undefined || finite.length < 2) return [];
  const { low, high } = scaleOf(finite, direction);
  const labels = [formatNumber(high), formatNumber((low + high) / 2), formatNumber(low)];
  const margin = Math.max(...labels.map((label) => label.length)) + 1;
  const width = Math.max(10, size.width - margin - 1);
  const height = Math.max(4, size.height - 2);
  const cells = Array.from({ length: height }, () => Array.from({ length: width }, () => ' '));
  const columnOf = (number: number): number =>
    last.number === first.number
      ? 0
      : Math.round(((number - first.number) / (last.number - first.number)) * (width - 1));
  const rowOf = (value: number): number =>
    high === low
      ? Math.floor(height / 2)
      : Math.round(((high - Math.min(high, Math.max(low, value))) / (high - low)) * (height - 1));
  const put = (column: number, row: number, mark: string): void => {
    const line = cells[row];
    if (line !== undefined) line[column] = mark;
  };

  let best = NaN;
  let column = 0;
  for (const point of finite) {
    for (; column < columnOf(point.number); column++) if (!Number.isNaN(best)) put(column, rowOf(best), '─');
    const isBetter = Number.isNaN(best) || (direction === 'minimize' ? point.value < best : point.value > best);
    if (!point.pruned && isBetter) best = point.value;
  }
  for (; column < width; column++) if (!Number.isNaN(best)) put(column, rowOf(best), '─');
  for (const point of finite) put(columnOf(point.number), rowOf(point.value), point.pruned ? '·' : '•');

  const labelOf = (row: number): string =>
    (row === 0 ? labels[0] : row === Math.floor((height - 1) / 2) ? labels[1] : row === height - 1 ? labels[2] : '') ??
    '';
  const lines = cells.map((line, row) => `${labelOf(row).padStart(margin)}│${line.join('')}`.trimEnd());
  const left = String(first.number);
  const right = String(last.number);
  lines.push(`${' '.repeat(margin)}└${'─'.repeat(width)}`);
  lines.push(
    `${' '.repeat(margin + 1)}${left}${'trial'.padStart(Math.floor((width + 5) / 2) - left.length).padEnd(width - left.length - right.length)}${right}`,
  );
  return lines;
}

function scaleOf(points: readonly ChartPoint[], direction: StudyDirection): { low: number; high: number } {
  const sorted = points.map((point) => point.value).sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] ?? NaN;
  return direction === 'minimize' ? { low: at(0), high: at(0.9) } : { low: at(0.1), high: at(1) };
}
