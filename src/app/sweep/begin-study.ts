import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { STUDY_DB } from '../../core/study-paths.js';
import { schemeOf } from '../../core/storage-url.js';
import { createStudy } from '../../study/create-study.js';
import { isConfigFile } from '../studies/find-config.js';
import { locateSweep } from '../studies/locate-sweep.js';
import { restoreMissing } from '../studies/open-target.js';
import { keepConfig } from '../studies/stored-config.js';

/**
 * Makes the study of a configuration where it is neither here nor at a destination, so that its first trials can be chosen or asked
 * for before a sweep runs. Nothing to do for a target of another kind.
 */
export async function beginStudy(target: string | undefined, studyName: string | undefined): Promise<void> {
  if (target === undefined || schemeOf(target) !== undefined || !isConfigFile(target)) return;
  const sweep = await locateSweep(target, { studyName });
  const { config } = sweep;
  if (config.storage.kind === 'memory') return;
  let { studyDir } = sweep;
  if (config.storage.kind === 'file') {
    if (!existsSync(join(studyDir, STUDY_DB))) studyDir = await restoreMissing(sweep);
    if (existsSync(join(studyDir, STUDY_DB))) return;
  }
  mkdirSync(studyDir, { recursive: true });
  const study = await createStudy({
    storage: config.storage.kind === 'url' ? config.storage.url : join(studyDir, STUDY_DB),
    studyName: config.study,
    directions: config.metrics.map((metric) => metric.goal),
    seed: config.sampler.seed,
    loadIfExists: true,
  });
  try {
    if (study.metricNames !== undefined) return;
    await study.setMetricNames(config.metrics.map((metric) => metric.name));
    await keepConfig(study, sweep.loaded, config, studyDir);
  } finally {
    await study.close();
  }
}
