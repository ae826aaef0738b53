import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Root of the repository. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** A path below the root. */
export const at = (...parts) => join(root, ...parts);

/** What is kept between runs and may be deleted at any time. */
export const cacheFolder = at('.cache');
