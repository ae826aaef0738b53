import type { FrozenTrial } from '../../core/frozen-trial.js';
import { isBetter, type StudyDirection } from '../../core/study-direction.js';
import type { BackupState } from '../../app/sweep/backup-state.js';
import type { SweepStart } from '../../app/sweep/sweep-observer.js';
import { formatBytes, formatDuration, formatNumber } from '../output.js';
import type { ChartPoint } from './history-chart.js';

/** A trial that runs now. */
export interface RunningTrial {
  readonly number: number;
  readonly startedAt: number;
  readonly params: Readonly<Record<string, unknown>>;
  step: number | undefined;
  value: number | undefined;
}

/** What a display shows of a sweep, gathered from its events. */
export class SweepState {
  readonly start: SweepStart;
  readonly running = new Map<number, RunningTrial>();
  readonly points: ChartPoint[] = [];
  readonly #startedAt = performance.now();
  readonly #durations: number[] = [];
  best: { number: number; value: number; params: Readonly<Record<string, unknown>> } | undefined;
  finished: number;
  pruned = 0;
  failed = 0;
  backups: readonly BackupState[] = [];
  stopping: string | undefined;

  constructor(start: SweepStart) {
    this.start = start;
    this.finished = start.finished;
    for (const trial of start.study.history.finished) this.#count(trial);
  }

  get direction(): StudyDirection {
    return this.start.config.metrics[0]?.goal ?? 'minimize';
  }

  get metricName(): string {
    return this.start.config.metrics[0]?.name ?? 'value';
  }

  trialStarted(trial: FrozenTrial): void {
    this.running.set(trial.number, {
      number: trial.number,
      startedAt: performance.now(),
      params: trial.params,
      step: undefined,
      value: undefined,
    });
  }

  reported(trial: FrozenTrial, step: number, value: number): void {
    const running = this.running.get(trial.number);
    if (running === undefined) return;
    running.step = step;
    running.value = value;
  }

  trialEnded(trial: FrozenTrial, milliseconds: number): void {
    this.running.delete(trial.number);
    this.#count(trial);
    if (trial.isInterrupted) return;
    this.finished++;
    this.#durations.push(milliseconds);
  }

  #count(trial: FrozenTrial): void {
    if (trial.state === 'PRUNED') this.pruned++;
    if (trial.state === 'FAIL' && !trial.isInterrupted) this.failed++;
    const value = trial.values?.[0];
    if (value === undefined) return;
    this.points.push({ number: trial.number, value, pruned: trial.state === 'PRUNED' });
    if (trial.state !== 'COMPLETE' || !trial.isFeasible) return;
    if (this.best === undefined || isBetter(this.direction, value, this.best.value)) {
      this.best = { number: trial.number, value, params: trial.params };
    }
  }

  /** Milliseconds until the total is reached, from the trials of this run; undefined before the first. */
  get timeLeft(): number | undefined {
    if (this.#durations.length === 0) return undefined;
    const elapsed = performance.now() - this.#startedAt;
    const remaining = Math.max(0, this.start.total - this.finished);
    return (elapsed / this.#durations.length) * remaining;
  }

  get elapsed(): number {
    return performance.now() - this.#startedAt;
  }

  /** One trial's end in one line. */
  endLine(trial: FrozenTrial, milliseconds: number, reason: string | undefined): string {
    const { total } = this.start;
    const value = trial.values?.map(formatNumber).join(', ');
    // The line goes on after it.
    const why = reason?.replace(/\.$/, '') ?? '';
    const what = trial.isInterrupted
      ? `interrupted: ${why}`
      : trial.state === 'FAIL'
        ? `failed: ${why}`
        : trial.state === 'PRUNED'
          ? `pruned at step ${trial.lastStep ?? 0}${value === undefined ? '' : ` (${value})`}`
          : `${this.metricName} ${value ?? ''}`;
    const best = this.best?.number === trial.number ? '  ← best so far' : '';
    return `[${this.finished}/${total}] trial ${trial.number}: ${what}, ${formatDuration(milliseconds)}${best}`;
  }

  /** What is safe, in one line; undefined without a destination. */
  backupLine(now: number): string | undefined {
    if (this.backups.length === 0) return undefined;
    const good = this.backups.filter((state) => state.lastVerifiedAt !== undefined && state.error === undefined);
    if (good.length === 0) {
      const saved = this.backups.filter((state) => state.lastVerifiedAt !== undefined);
      const last = Math.max(-1, ...saved.map((state) => state.safeUpTo ?? -1));
      if (this.backupProblems(now).length === 0) return 'no backup yet';
      return last < 0 ? 'NOT BACKED UP' : `NOT BACKED UP after trial ${last}`;
    }
    const safe = Math.min(...good.map((state) => state.safeUpTo ?? -1));
    const age = Math.max(...good.map((state) => now - Date.parse(state.lastVerifiedAt ?? '')));
    const names = good.map((state) => {
      const marks = [
        ...(state.sameDisk ? ['same disk'] : []),
        ...(state.unconfirmed ? ['upload unconfirmed'] : []),
        ...(state.backlog > 0 ? [`${state.backlog} behind`] : []),
      ];
      const size = state.bytes > 0 ? ` ${formatBytes(state.bytes)}` : '';
      return `${state.name}${size}${marks.length > 0 ? ` (${marks.join(', ')})` : ''}`;
    });
    const what = safe < 0 ? 'safe: the study, no trial yet' : `safe up to trial ${safe}`;
    return `${what}, ${formatDuration(age)} ago, on ${names.join(', ')}`;
  }

  /** What nobody may overlook: copies that fail, are damaged or overdue; a line each. */
  backupProblems(now: number): string[] {
    return this.backups.flatMap(({ name, error, overdueMs, damage, unchecked, backlog, lastVerifiedAt }) => {
      const last =
        lastVerifiedAt === undefined
          ? 'no copy in this run yet'
          : `last copy ${formatDuration(now - Date.parse(lastVerifiedAt))} ago`;
      if (error !== undefined) return [`BACKUP FAILS on ${name} (${last}, ${backlog} behind): ${error}`];
      if (overdueMs !== undefined) return [`BACKUP OVERDUE on ${name}: ${last}, ${backlog} behind`];
      if (damage !== undefined) return [`BACKUP DAMAGED on ${name}: ${damage}`];
      return unchecked === undefined ? [] : [`BACKUP NOT CHECKED on ${name}: ${unchecked}`];
    });
  }
}
