import { existsSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';

/** Nearest folder upward from `folder` that holds `package.json` or `.resweep`, else the working directory. */
export function findProjectRoot(folder: string, workingDirectory: string = process.cwd()): string {
  for (let at = resolve(folder); ; at = dirname(at)) {
    if (existsSync(join(at, '.resweep')) || existsSync(join(at, 'package.json'))) return at;
    if (dirname(at) === at) return resolve(workingDirectory);
  }
}

/**
 * Where a file that a configuration names lies: relative to the project root, else beside the configuration. The first that
 * exists; where neither does, the path under the project root.
 */
export function resolveInputPath(
  path: string,
  from: { projectRoot: string; configFolder?: string | undefined },
): string {
  if (isAbsolute(path)) return path;
  const underRoot = resolve(from.projectRoot, path);
  if (from.configFolder === undefined || existsSync(underRoot)) return underRoot;
  const beside = resolve(from.configFolder, path);
  return existsSync(beside) ? beside : underRoot;
}
