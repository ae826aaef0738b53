import type { SweepObserver } from '../../app/sweep/sweep-observer.js';
import { formatParams, type Output } from '../output.js';
import { LiveDisplay } from './live-display.js';
import { SweepState } from './sweep-state.js';

/** What tensor code ran on, for people. */
const BACKENDS: Readonly<Record<string, string>> = {
  node: 'the native TensorFlow library',
  wasm: 'WebAssembly',
  cpu: 'plain JavaScript',
};

/** A display of a running sweep. */
export interface SweepDisplay extends SweepObserver {
  /** Ends whatever redraws itself. */
  close(): void;
  readonly state: SweepState | undefined;
}

/** Shows a sweep on a terminal by redrawing a few lines, elsewhere as plain lines. */
export async function createDisplay(output: Output): Promise<SweepDisplay> {
  const live = output.isLive ? await LiveDisplay.create(output) : undefined;
  let state: SweepState | undefined;
  let shownBackend: string | undefined;
  const line = (text: string): void => {
    if (live === undefined) output.info(text);
    else live.line(text);
  };
  return {
    get state() {
      return state;
    },
    message: (level, text) => {
      if (level === 'info') {
        if (output.verbosity === 'verbose') line(text);
      } else if (live === undefined) output.warn(text);
      else live.line(`${output.style('yellow', 'Warning:')} ${text}`);
    },
    started: (start) => {
      state = new SweepState(start);
      const { config } = start;
      line(
        `${output.style('bold', config.study)}  study-${start.study8}, sampler ${config.sampler.type}, pruner ${config.pruner.type}, ` +
          `${config.parallel} at a time, on ${start.runner}`,
      );
      if (start.restoredFrom !== undefined) line(`Restored from ${start.restoredFrom}.`);
      line(
        start.resumed
          ? `Going on with ${start.finished} of ${start.total} trials finished.`
          : `Starting: ${start.total} trials. Stored in ${start.storage}.`,
      );
      live?.show(state);
    },
    trialStarted: (trial, info) => {
      state?.trialStarted(trial);
      if (output.verbosity === 'verbose' || info.resumed) {
        line(
          `trial ${trial.number} ${info.resumed ? 'goes on' : 'started'}: ${formatParams(trial.params, output.width - 20)}`,
        );
      }
    },
    reported: (trial, step, value) => {
      state?.reported(trial, step, value);
    },
    trialEnded: (trial, info) => {
      if (state === undefined) return;
      state.trialEnded(trial, info.milliseconds);
      const { backend } = trial.userAttrs;
      if (typeof backend === 'string' && backend !== shownBackend) {
        shownBackend = backend;
        line(output.style('dim', `Trained on ${BACKENDS[backend] ?? backend}.`));
      }
      const text = state.endLine(trial, info.milliseconds, info.reason);
      line(
        trial.state === 'FAIL'
          ? output.style('red', text)
          : trial.state === 'PRUNED'
            ? output.style('dim', text)
            : text,
      );
    },
    backedUp: (states) => {
      if (state !== undefined) state.backups = states;
    },
    stopping: (reason) => {
      if (state !== undefined) state.stopping = reason;
      line(`Stopping: ${reason}.`);
    },
    close: () => {
      live?.close();
    },
  };
}
