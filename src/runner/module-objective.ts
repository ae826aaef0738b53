import { UsageError } from '../core/errors.js';
import type { ParamValue } from '../core/distributions.js';
import { nearestName } from '../core/nearest-name.js';
import { importModule } from './typescript-module.js';
import type { WorkerObjective } from './worker-protocol.js';
import type { ObjectiveRun } from './worker-session.js';

/** What a function of a user's module is called with. */
export interface ModuleTrial {
  readonly number: number;
  readonly params: Readonly<Record<string, ParamValue>>;
  /** The same for every retry of the trial. */
  readonly seed: number;
  readonly trialDir: string;
  /** Holds what an interrupted run of this trial left there. */
  readonly checkpointDir: string;
  /** Aborted when the sweep is being stopped: save, then throw `signal.reason`. */
  readonly signal: AbortSignal;
  /** Reports an intermediate value; throws where the trial is pruned. */
  report(step: number, value: number): Promise<void>;
  log(line: string): void;
}

/** Runs `export default async function (trial) { … }` of a JavaScript module; loaded once per worker. */
export function createModuleRun(objective: Extract<WorkerObjective, { type: 'module' }>): ObjectiveRun {
  let loading: Promise<(trial: ModuleTrial) => unknown> | undefined;
  return async (task, context) => {
    loading ??= loadFunction(objective.path, objective.exportName);
    const { number, params, seed, trialDir, checkpointDir } = task;
    const objectiveFunction = await loading;
    return await objectiveFunction({
      number,
      params,
      seed,
      trialDir,
      checkpointDir,
      signal: context.signal,
      report: (step, value) => context.report(step, value),
      log: (line: unknown) => {
        context.log(String(line));
      },
    });
  };
}

async function loadFunction(path: string, exportName: string): Promise<(trial: ModuleTrial) => unknown> {
  const module = await importModule(path);
  const found = module[exportName];
  if (typeof found === 'function') return found as (trial: ModuleTrial) => unknown;
  const functions = Object.keys(module).filter((name) => typeof module[name] === 'function');
  const nearest = nearestName(exportName, functions);
  throw new UsageError(`${path} exports no function "${exportName}".`, {
    hint:
      nearest === undefined ? `It exports: ${functions.join(', ') || 'no function'}.` : `Did you mean "${nearest}"?`,
  });
}
