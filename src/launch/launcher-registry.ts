import { UsageError } from '../core/errors.js';
import { nearestName } from '../core/nearest-name.js';
import type { Launcher } from './launcher.js';
import { kubernetesLauncher } from './kubernetes.js';
import { rayLauncher } from './ray.js';
import { slurmLauncher } from './slurm.js';

/** Every engine. */
export const launchers: readonly Launcher[] = [slurmLauncher, rayLauncher, kubernetesLauncher];

/** The engine of that name. @throws UsageError that names the nearest */
export function launcherOf(type: string): Launcher {
  const found = launchers.find((launcher) => launcher.type === type);
  if (found !== undefined) return found;
  const names = launchers.map((launcher) => launcher.type);
  const near = nearestName(type, names);
  throw new UsageError(`There is no engine "${type}". There are: ${names.join(', ')}.`, {
    ...(near === undefined ? {} : { hint: `Did you mean "${near}"?` }),
  });
}
