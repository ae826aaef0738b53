import { join, relative } from 'node:path';

import { writeFileAtomically } from '../../core/atomic-file.js';
import type { JsonValue } from '../../core/json.js';
import { redactUrls } from '../../core/storage-url.js';
import { STUDY_YAML, studyDirOf } from '../../core/study-paths.js';
import type { LoadedConfig } from '../../config/load-config.js';
import type { Study } from '../../study/study.js';
import type { LocatedSweep } from './locate-sweep.js';

/** System attribute of a study: the configuration in force. */
export const CONFIG_ATTRIBUTE = 'resweep:config';

/** The configuration in force, as text with `${NAME}` unresolved (so it holds no secret), and a revision that grows with each change. */
export interface StoredConfig {
  readonly revision: number;
  readonly text: string;
  /** Bounds given on the command line, which win over the text. */
  readonly trials: number;
  readonly parallel: number;
  /** The bounds were changed since in the dashboard: they win over the YAML until that changes. */
  readonly edited?: boolean | undefined;
  /** Where it began: part of the study's path, which is the same on every machine. */
  readonly environment?: string;
  /** Folder of the configuration below the project root: where what it names may lie, too. */
  readonly folder?: string | null;
}

/** Bounds changed in the dashboard, where the YAML is still the one last applied; undefined where it rules. */
export function editedBounds(study: Study, loaded: LoadedConfig): { trials: number; parallel: number } | undefined {
  const stored = storedConfigOf(study);
  if (stored?.edited !== true || stored.text !== loaded.resolvedText) return undefined;
  return { trials: stored.trials, parallel: stored.parallel };
}

/** The configuration that a study holds; undefined where it has none. */
export function storedConfigOf(study: Study): StoredConfig | undefined {
  const stored = study.systemAttrs[CONFIG_ATTRIBUTE];
  return stored !== undefined && stored !== null && typeof stored === 'object' && 'revision' in stored
    ? (stored as unknown as StoredConfig)
    : undefined;
}

/** Folder of a shared study on this machine: the one that is there, else the same path as where the study began. */
export function sharedStudyDir(sweep: LocatedSweep, study: Study): string {
  const environment = storedConfigOf(study)?.environment;
  if (sweep.exists || environment === undefined) return sweep.studyDir;
  return studyDirOf(sweep.projectRoot, { environment, backbone: sweep.config.backbone }, sweep.study8);
}

/** Stores the configuration with the study and as `study.yaml` beside it, where it differs from the one there. */
export async function keepConfig(
  study: Study,
  loaded: LoadedConfig,
  bounds: { trials: number; parallel: number },
  studyDir: string,
): Promise<void> {
  const text = redactUrls(loaded.resolvedText);
  const { trials, parallel } = bounds;
  const stored = storedConfigOf(study);
  if (stored?.text === text && stored.trials === trials && stored.parallel === parallel) return;
  const revision = (stored?.revision ?? 0) + 1;
  const below = loaded.configFolder === undefined ? undefined : relative(loaded.projectRoot, loaded.configFolder);
  const value = {
    ...{ revision, text, trials, parallel },
    environment: stored?.environment ?? loaded.config.environment,
    folder: below === undefined || below.startsWith('..') ? (stored?.folder ?? null) : below,
  } satisfies JsonValue;
  await study.setSystemAttr(CONFIG_ATTRIBUTE, value);
  writeFileAtomically(
    join(studyDir, STUDY_YAML),
    `# As run: revision ${revision}, ${trials} trials, ${parallel} at a time.\n${text}`,
  );
}
