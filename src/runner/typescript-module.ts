import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

import { UsageError } from '../core/errors.js';

const IS_TYPESCRIPT = /\.[mc]?tsx?$/;
const STRIP_TYPES = '--experimental-strip-types';

/** Options with which this version of Node loads a module: TypeScript needs one from 22.6 on, none from 22.18 on. */
export function typeScriptOptions(path: string, features: object = process.features): string[] {
  const canAlready = 'typescript' in features && features.typescript !== false;
  if (!IS_TYPESCRIPT.test(path) || canAlready || !process.allowedNodeEnvironmentFlags.has(STRIP_TYPES)) return [];
  return [STRIP_TYPES, '--disable-warning=ExperimentalWarning'];
}

/**
 * Imports a module by its path, a TypeScript one by Node itself or, where Node cannot, by the `tsx` of the module's own project.
 * @throws UsageError where neither can
 */
export async function importModule(path: string): Promise<Readonly<Record<string, unknown>>> {
  const url = pathToFileURL(path).href;
  const nodeCan = 'typescript' in process.features && process.features.typescript !== false;
  if (!IS_TYPESCRIPT.test(path) || nodeCan) return (await import(url)) as Record<string, unknown>;
  let tsx: string;
  try {
    tsx = createRequire(path).resolve('tsx/esm/api');
  } catch (error) {
    throw new UsageError(`${path} is TypeScript, which Node ${process.versions.node} cannot load by itself.`, {
      hint: 'Install tsx in its project (npm install tsx), use Node 22.18 or newer, or compile it to JavaScript.',
      cause: error,
    });
  }
  const { tsImport } = (await import(pathToFileURL(tsx).href)) as {
    readonly tsImport: (url: string, parent: string) => Promise<Record<string, unknown>>;
  };
  return await tsImport(url, url);
}
