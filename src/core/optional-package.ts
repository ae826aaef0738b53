import { UsageError } from './errors.js';

/**
 * Loads a package that only some users need and that may not be installed: `loadOptional('pg', 'PostgreSQL', () => import('pg'))`.
 * @throws UsageError that names the command which installs it
 */
export async function loadOptional<T>(name: string, purpose: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ERR_MODULE_NOT_FOUND' && code !== 'MODULE_NOT_FOUND') throw error;
    throw new UsageError(`${purpose} needs the package ${name}, which is not installed.`, {
      hint: `npm install ${name}`,
      cause: error,
      code: 'PACKAGE_MISSING',
    });
  }
}
