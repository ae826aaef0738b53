import { statfsSync } from 'node:fs';

import type { LimitsConfig, MetricConfig } from '../../core/sweep-config.js';
import { bestTrialOf, trialsSinceImprovement } from '../../study/best-trials.js';
import type { Study } from '../../study/study.js';

/** Share of a session that is kept for the last checkpoint and backup, and its bounds in milliseconds. */
const RESERVE = { share: 0.05, least: 5_000, most: 120_000 };

/** Bounds of a sweep other than its number of trials: each answers with the reason why no new trial may start. */
export class SweepLimits {
  readonly #limits: LimitsConfig;
  readonly #metrics: readonly MetricConfig[];
  readonly #timeoutMs: number;
  readonly #studyDir: string;
  readonly #startedAt = performance.now();
  readonly #spentBeforeMs: number;
  #failures = 0;

  constructor(
    limits: LimitsConfig,
    metrics: readonly MetricConfig[],
    o: { timeoutMs?: number | undefined; studyDir: string; spentBeforeMs: number },
  ) {
    this.#limits = limits;
    this.#metrics = metrics;
    this.#timeoutMs = o.timeoutMs ?? Infinity;
    this.#studyDir = o.studyDir;
    this.#spentBeforeMs = o.spentBeforeMs;
  }

  get elapsedMs(): number {
    return performance.now() - this.#startedAt;
  }

  /** Time until running trials must be stopped so that checkpoint and backup still fit into the session. Infinity without one. */
  get millisecondsToSessionEnd(): number {
    const { session } = this.#limits;
    if (session === undefined) return Infinity;
    const reserve = Math.min(RESERVE.most, Math.max(RESERVE.least, session * RESERVE.share), session / 2);
    return session - reserve - this.elapsedMs;
  }

  countFailure(): void {
    this.#failures++;
  }

  /** Why no new trial may start; undefined where one may. */
  reasonToStop(study: Study): string | undefined {
    return (
      this.#timeReason() ??
      this.#failureReason() ??
      this.#diskReason() ??
      this.#targetReason(study) ??
      this.#stagnationReason(study)
    );
  }

  #timeReason(): string | undefined {
    const { study: whole, cost } = this.#limits;
    if (this.elapsedMs >= this.#timeoutMs) return 'the time given by --timeout is over';
    if (this.millisecondsToSessionEnd <= 0) return 'the session is near its end (limits.session)';
    const spent = this.#spentBeforeMs + this.elapsedMs;
    if (whole !== undefined && spent >= whole) return "the study's time is used up (limits.study)";
    if (cost !== undefined && (spent / 3_600_000) * cost.perHour >= cost.max)
      return 'the budget is spent (limits.cost)';
    return undefined;
  }

  #failureReason(): string | undefined {
    const { failures } = this.#limits;
    return failures !== undefined && this.#failures >= failures
      ? `${this.#failures} trials failed (limits.failures)`
      : undefined;
  }

  #diskReason(): string | undefined {
    const { diskFree } = this.#limits;
    if (diskFree === undefined) return undefined;
    const { bavail, bsize } = statfsSync(this.#studyDir);
    return bavail * bsize < diskFree ? 'the disk is nearly full (limits.disk_free)' : undefined;
  }

  #targetReason(study: Study): string | undefined {
    const [metric] = this.#metrics;
    if (this.#metrics.length !== 1 || metric?.target === undefined) return undefined;
    const best = bestTrialOf(study.history.finished, metric.goal)?.value;
    if (best === undefined) return undefined;
    const reached = metric.goal === 'maximize' ? best >= metric.target : best <= metric.target;
    return reached ? `the target ${metric.name} = ${metric.target} is reached` : undefined;
  }

  #stagnationReason(study: Study): string | undefined {
    const { noImprovement } = this.#limits;
    if (noImprovement === undefined) return undefined;
    const since = trialsSinceImprovement(study.history.finished, study.directions);
    return since !== undefined && since >= noImprovement
      ? `${since} trials brought nothing better (limits.no_improvement)`
      : undefined;
  }
}
