import { randomBytes } from 'node:crypto';
import { join, relative, resolve } from 'node:path';

import { UsageError } from '../../core/errors.js';
import { isServerUrl, withoutPassword } from '../../core/storage-url.js';
import { STUDY_DB } from '../../core/study-paths.js';
import { declaredSpaceOf } from '../../config/declared-space.js';
import { stagesOf } from '../../launch/common-schema.js';
import type { LaunchFile, LaunchRecord, LaunchRequest, Submitted } from '../../launch/launcher.js';
import { launcherOf } from '../../launch/launcher-registry.js';
import type { Study } from '../../study/study.js';
import { locateSweep, type LocatedSweep } from '../studies/locate-sweep.js';
import { openStudy, studyIn } from '../studies/open-study.js';
import { appendChoices, planSpace } from '../sweep/space-plan.js';
import { keepConfig } from '../studies/stored-config.js';
import { SweepBackup } from '../sweep/sweep-backup.js';
import type { MessageLevel } from '../sweep/sweep-observer.js';
import { keepLaunch } from './launch-records.js';

export interface StartLaunchOptions {
  readonly engine: string;
  readonly configPath: string;
  readonly workers: number;
  readonly jobs?: number | undefined;
  readonly set?: readonly string[];
  /** Only say what would be handed over; nothing is written anywhere. */
  readonly dryRun: boolean;
  readonly say: (level: MessageLevel, text: string) => void;
}

/** What came of a launch. */
export interface StartedLaunch {
  readonly request: LaunchRequest;
  readonly files: readonly LaunchFile[];
  /** Undefined after a dry run. */
  readonly submitted: Submitted | undefined;
}

/**
 * Starts workers of a sweep by an engine: makes the study where there is none, stores the configuration and the launch with it,
 * then hands the jobs over. The launch is stored first, so that what was started is found even where this process dies meanwhile.
 * @throws ConfigError, UsageError with nothing started; LaunchError from the engine, StorageError
 */
export async function startLaunch(options: StartLaunchOptions): Promise<StartedLaunch> {
  const { engine, configPath, workers, jobs, set, say } = options;
  const launcher = launcherOf(engine);
  for (const [name, value] of Object.entries({ workers, jobs })) {
    if (value === undefined || (Number.isInteger(value) && value > 0)) continue;
    throw new UsageError(`--${name} must be a whole number above 0, but got ${value}.`);
  }
  const sweep = await locateSweep(configPath, { set });
  for (const warning of sweep.loaded.warnings) say('warn', warning);
  const { config } = sweep;
  const url = config.storage.url;
  if (url === undefined || !isServerUrl(url)) {
    throw new UsageError(`${configPath} keeps its study in a file: workers on other machines cannot share it.`, {
      hint: 'Set "storage:" to a server, such as storage: ${DATABASE_URL} with DATABASE_URL=postgresql://USER:PASSWORD@HOST/DATABASE',
    });
  }
  const shown = withoutPassword(url);
  const sectionOptions = config.launch[engine] ?? launcherDefaults(launcher);
  const request: LaunchRequest = {
    id: randomBytes(4).toString('hex'),
    study: config.study,
    study8: sweep.study8,
    projectRoot: sweep.projectRoot,
    configPath: relative(sweep.projectRoot, resolve(configPath)),
    workers,
    jobs,
    stages: stagesOf(sectionOptions, config.objective.type === 'tfjs'),
    storage: { url, shown, isSecret: shown !== url },
    options: sectionOptions,
  };
  if (request.configPath.startsWith('..')) {
    throw new UsageError(`${configPath} lies outside of its project, ${sweep.projectRoot}.`, {
      hint: 'Put the configuration below the folder that holds package.json or .resweep.',
    });
  }
  const files = launcher.draft(request);
  if (options.dryRun) return { request, files, submitted: undefined };
  const study = await prepareStudy(sweep, say);
  const record: LaunchRecord = {
    ...{ id: request.id, engine, study8: request.study8, workers, stages: request.stages },
    at: new Date().toISOString(),
    where: launcher.where(request),
  };
  try {
    await keepLaunch(study, record);
    try {
      return { request, files, submitted: await launcher.submit(request) };
    } catch (error) {
      // Whatever did start leaves at once.
      await keepLaunch(study, { ...record, stoppedAt: new Date().toISOString() });
      throw error;
    }
  } finally {
    await study.leave();
    await study.close();
  }
}

function launcherDefaults(launcher: ReturnType<typeof launcherOf>): LaunchRequest['options'] {
  return launcher.schema.parse({}) as LaunchRequest['options'];
}

/**
 * The study, with the configuration in force, so that a worker needs no more than its URL; brought back from its backup where its
 * server lost it.
 */
async function prepareStudy(sweep: LocatedSweep, say: StartLaunchOptions['say']): Promise<Study> {
  const { config } = sweep;
  const space = declaredSpaceOf(config);
  const backup = new SweepBackup({ sweep, config, say, onStatus: () => undefined });
  try {
    const signal = new AbortController().signal;
    const { studyDir } = await backup.restoreStudy({ require: false, shared: true, signal });
    const { study } = await openStudy(studyDir, config, space, say);
    let current = study;
    try {
      await backup.settleRestore();
      const plan = planSpace(study, space);
      for (const message of plan.messages) say('warn', message);
      if (await appendChoices(study, plan, () => backup.copyNow(study, join(studyDir, STUDY_DB))))
        current = await studyIn(study.storage, config, space);
      await keepConfig(current, sweep.loaded, config, studyDir);
      return current;
    } catch (error) {
      await current.close();
      throw error;
    }
  } finally {
    await backup.close();
  }
}
