import type { DeclaredSpace } from '../../core/declared-space.js';
import type { SweepConfig } from '../../core/sweep-config.js';
import { declaredSpaceOf } from '../../config/declared-space.js';
import { loadConfigText } from '../../config/load-config.js';
import { findProjectRoot } from '../../config/project-root.js';
import type { Study } from '../../study/study.js';
import { configRegistry } from './config-registry.js';
import { storedConfigOf } from './stored-config.js';

/** The configuration with which a study was run, as it holds it itself; undefined where it was made without one. */
export async function configOfStudy(study: Study): Promise<SweepConfig | undefined> {
  const stored = storedConfigOf(study);
  if (stored === undefined) return undefined;
  const { config } = loadConfigText(stored.text, {
    registry: await configRegistry(),
    name: `the configuration of study "${study.studyName}"`,
    projectRoot: findProjectRoot(process.cwd()),
    checkFiles: false,
    // What it takes from the environment of its machine (a database, a bucket) plays no part in its space.
    env: standInFor(stored.text),
  });
  return config;
}

/** The declared space of a study; undefined where it has none. */
export async function spaceOfStudy(study: Study, config?: SweepConfig): Promise<DeclaredSpace | undefined> {
  const known = config ?? (await configOfStudy(study));
  return known === undefined ? undefined : declaredSpaceOf(known);
}

/** The environment, with a stand-in for each `${NAME}` of a text that is not set here. */
function standInFor(text: string): Readonly<Record<string, string | undefined>> {
  const names = [...text.matchAll(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g)].map((match) => match[1] ?? '');
  return { ...Object.fromEntries(names.map((name) => [name, 'unset'])), ...process.env };
}
