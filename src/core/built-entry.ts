import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * Path of a file that a new process or thread starts from: beside the module at `moduleUrl`, or in the build (`dist/`) where that
 * module is a TypeScript source run by a test, or one compiled but not bundled (`build/`).
 */
export function builtEntry(name: string, moduleUrl: string): string {
  const beside = fileURLToPath(new URL(name, moduleUrl));
  return existsSync(beside)
    ? beside
    : beside.replace(/([/\\])(?:src|build)([/\\](?!.*[/\\](?:src|build)[/\\]))/, '$1dist$2');
}
