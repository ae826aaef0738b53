import { join } from 'node:path';

import type { DeclaredSpace } from '../../core/declared-space.js';
import type { SweepConfig } from '../../core/sweep-config.js';
import { STUDY_DB } from '../../core/study-paths.js';
import { openStorage } from '../../storage/open-storage.js';
import type { Storage } from '../../storage/storage.js';
import { createStudy } from '../../study/create-study.js';
import type { Study } from '../../study/study.js';
import { createPruner, createSampler } from './create-engine-parts.js';
import type { MessageLevel } from '../sweep/sweep-observer.js';

/** Opens the study of a configuration, or makes it: in its folder's study.db, or where `storage:` says. @throws StorageError */
export async function openStudy(
  studyDir: string,
  config: SweepConfig,
  space: DeclaredSpace,
  say: (level: MessageLevel, text: string) => void,
): Promise<{ study: Study; resumed: boolean }> {
  const url =
    config.storage.kind === 'file'
      ? join(studyDir, STUDY_DB)
      : config.storage.kind === 'memory'
        ? undefined
        : config.storage.url;
  const storage = await openStorage(url, {
    durability: config.storage.durability,
    onWarning: (text) => {
      say('warn', text);
    },
  });
  try {
    const resumed = (await storage.findStudy(config.study)) !== undefined;
    const study = await studyIn(storage, config, space);
    if (!resumed) await study.setMetricNames(config.metrics.map((metric) => metric.name));
    return { study, resumed };
  } catch (error) {
    await storage.close();
    throw error;
  }
}

/** The same in a storage that is open. */
export async function studyIn(storage: Storage, config: SweepConfig, space: DeclaredSpace): Promise<Study> {
  const study = await createStudy({
    storage,
    studyName: config.study,
    directions: config.metrics.map((metric) => metric.goal),
    sampler: createSampler(config.sampler),
    pruner: createPruner(config.pruner),
    seed: config.sampler.seed,
    retry: config.retry,
    declaredSpace: space,
    loadIfExists: true,
  });
  await study.sync();
  return study;
}
