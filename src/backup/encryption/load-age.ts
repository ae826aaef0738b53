import { loadOptional } from '../../core/optional-package.js';

/**
 * In a file of its own: what is exported from elsewhere names no type of a package that is optional.
 * @throws UsageError where the package is not installed
 */
export function loadAge() {
  return loadOptional('age-encryption', 'Encryption of backups', () => import('age-encryption'));
}
