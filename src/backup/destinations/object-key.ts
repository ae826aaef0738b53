import { UsageError } from '../../core/errors.js';

/** Everything that is not a mirror lies below this. */
export const STORE = '.resweep';

const LETTER = /^[A-Za-z]:/;

/** Why a relative path may not be used as a key or a place to restore to; undefined where it may. */
export function unsafePathReason(path: string): string | undefined {
  if (path === '') return 'it is empty';
  if (path.includes('\0')) return 'it holds a NUL';
  if (path.startsWith('/') || LETTER.test(path)) return 'it is absolute';
  if (path.includes('\\')) return 'it holds a backslash';
  const odd = path.split('/').find((segment) => segment === '' || segment === '.' || segment === '..');
  return odd === undefined ? undefined : `it has the segment "${odd}"`;
}

/** @throws UsageError for a key that could leave the place where it belongs. */
export function assertSafeKey(key: string): void {
  const reason = unsafePathReason(key);
  if (reason !== undefined) throw new UsageError(`"${key}" cannot be used as a relative path: ${reason}.`);
}
