import { configsOf } from '../../config/load-config.js';
import { locateLoaded } from '../studies/locate-sweep.js';
import { locateRun, runSweep, type RunSweepOptions, type SweepResult } from './run-sweep.js';

/**
 * Runs the sweep of a configuration, or one after the other those of its `backbones`; the first that is cut short is the last.
 * `onResult` is told of each as it ends. @throws what `runSweep` throws
 */
export async function runSweeps(
  options: RunSweepOptions,
  onResult: (result: SweepResult) => void = () => undefined,
): Promise<SweepResult[]> {
  const located = await locateRun(options);
  const results: SweepResult[] = [];
  for (const config of configsOf(located.config)) {
    const isLocated = config.backbone === located.config.backbone && config.study === located.config.study;
    const sweep = isLocated ? located : await locateLoaded({ ...located.loaded, config });
    const result = await runSweep({ ...options, sweep });
    results.push(result);
    onResult(result);
    if (result.interrupted) break;
  }
  return results;
}
