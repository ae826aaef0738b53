import type { createLogUpdate } from 'log-update';

import { formatDuration, formatNumber, formatParams, type Output } from '../output.js';
import type { SweepState } from './sweep-state.js';

const FRAME_MS = 250;
const BAR_WIDTH = 30;

/** A few lines at the foot of the terminal that are redrawn four times a second; finished trials scroll away above them. */
export class LiveDisplay {
  readonly #output: Output;
  readonly #update: ReturnType<typeof createLogUpdate>;
  #state: SweepState | undefined;
  #timer: NodeJS.Timeout | undefined;

  private constructor(output: Output, update: ReturnType<typeof createLogUpdate>) {
    this.#output = output;
    this.#update = update;
  }

  static async create(output: Output): Promise<LiveDisplay> {
    const { createLogUpdate: create } = await import('log-update');
    return new LiveDisplay(output, create(process.stdout, { showCursor: true }));
  }

  show(state: SweepState): void {
    this.#state = state;
    this.#timer ??= setInterval(() => {
      this.#draw();
    }, FRAME_MS);
    this.#timer.unref();
    this.#draw();
  }

  /** A line that stays, above the redrawn ones. */
  line(text: string): void {
    this.#update.clear();
    this.#output.info(text);
    this.#draw();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#update.clear();
    this.#update.done();
  }

  #draw(): void {
    if (this.#state !== undefined) this.#update(this.#frame(this.#state).join('\n'));
  }

  #frame(state: SweepState): string[] {
    const { total } = state.start;
    const share = Math.min(1, state.finished / Math.max(1, total));
    const filled = Math.round(share * BAR_WIDTH);
    const bar =
      this.#output.style('cyan', '█'.repeat(filled)) + this.#output.style('dim', '░'.repeat(BAR_WIDTH - filled));
    const left = state.timeLeft;
    const details = [
      `${state.finished}/${total} trials`,
      ...(state.pruned > 0 ? [`${state.pruned} pruned`] : []),
      ...(state.failed > 0 ? [`${state.failed} failed`] : []),
      formatDuration(state.elapsed),
      ...(state.stopping === undefined && left !== undefined ? [`about ${formatDuration(left)} left`] : []),
    ];
    const lines = ['', `${bar}  ${details.join(' · ')}`];
    if (state.best !== undefined) {
      const { number, value, params } = state.best;
      const head = `best     ${state.metricName} ${formatNumber(value)} (trial ${number})  `;
      lines.push(this.#output.style('green', head) + formatParams(params, this.#output.width - head.length - 1));
    }
    for (const trial of [...state.running.values()].sort((a, b) => a.number - b.number)) {
      const seen = trial.step === undefined ? 'starting' : `step ${trial.step}: ${formatNumber(trial.value ?? NaN)}`;
      const head = `trial ${trial.number}  ${seen}, ${formatDuration(performance.now() - trial.startedAt)}  `;
      lines.push(head + this.#output.style('dim', formatParams(trial.params, this.#output.width - head.length - 1)));
    }
    const backup = state.backupLine(Date.now());
    if (backup !== undefined) lines.push(this.#output.style('dim', backup));
    for (const problem of state.backupProblems(Date.now()))
      lines.push(this.#output.style(['bold', 'red'], problem.slice(0, this.#output.width - 1)));
    if (state.stopping !== undefined) lines.push(this.#output.style('yellow', `stopping: ${state.stopping}`));
    return lines;
  }
}
