import { mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

import { messageOf, UsageError } from '../../core/errors.js';
import { EVENTS_FILE, STUDY_DB } from '../../core/study-paths.js';
import type { SweepConfig } from '../../core/sweep-config.js';
import { declaredSpaceOf } from '../../config/declared-space.js';
import { resolveInputPath } from '../../config/project-root.js';
import { createRunner } from '../../runner/create-runner.js';
import type { Study } from '../../study/study.js';
import { recoverBackendChoices } from './backend-choices.js';
import { EventsLog, readEvents } from './events-log.js';
import { locateSweep, type LocatedSweep } from '../studies/locate-sweep.js';
import { openStudy, studyIn } from '../studies/open-study.js';
import { RunLog } from './run-log.js';
import { watchBudget } from './budget-change.js';
import { appendChoices, planSpace } from './space-plan.js';
import { StopWatch } from './stop-request.js';
import { SweepBackup } from './sweep-backup.js';
import type { RestoredStudy } from './sweep-restore.js';
import { editedBounds, keepConfig, sharedStudyDir } from '../studies/stored-config.js';
import { SweepTracking } from './sweep-tracking.js';
import { SweepLimits } from './sweep-limits.js';
import { SweepLoop, type LoopEnd } from './sweep-loop.js';
import type { MessageLevel, SweepObserver } from './sweep-observer.js';
import { backupSummaries, bestOf, countTrials, type SweepSummary } from './sweep-summary.js';
import { TrialFolders } from '../trials/trial-folders.js';

export interface RunSweepOptions {
  readonly configPath: string;
  /** In place of the file at `configPath`: a configuration found elsewhere, such as in a study. */
  readonly sweep?: LocatedSweep | undefined;
  /** The configuration is the one that the study holds, perhaps with changes for this process alone: it is not stored. */
  readonly joined?: boolean;
  readonly set?: readonly string[];
  /** Total of finished trials in place of the configured one. */
  readonly trials?: number | undefined;
  readonly timeoutMs?: number | undefined;
  readonly jobs?: number | undefined;
  /** Begin another study beside the one there. */
  readonly fresh?: boolean;
  readonly studyName?: string | undefined;
  readonly storage?: string | undefined;
  readonly requireRestore?: boolean;
  readonly observer?: SweepObserver;
  /** Id of the launch that started this worker. */
  readonly launch?: string | undefined;
  /** Runs one more trial on the restored copy in `studyDir` and ends; the real study is not touched. */
  readonly rehearsal?: { readonly studyDir: string };
  /** Aborted: running trials save a checkpoint and are queued again; everything is stored and backed up. */
  readonly signal?: AbortSignal;
}

/** What a sweep ended with. */
export interface SweepResult {
  readonly summary: SweepSummary;
  /** A signal or the session's end cut it short; the same command goes on. */
  readonly interrupted: boolean;
}

/**
 * Starts a sweep or goes on with it: restores what is missing, runs trials until the total is reached, backs up after each.
 * @throws ConfigError, UsageError before anything is changed; StorageError where the study itself cannot be written any more
 */
export async function runSweep(options: RunSweepOptions): Promise<SweepResult> {
  const startedAt = performance.now();
  const signal = options.signal ?? new AbortController().signal;
  const sweep = await locateRun(options);
  const { rehearsal } = options;
  // A rehearsal works on its copy, wherever the study itself is kept.
  const inFile = { kind: 'file', durability: sweep.config.storage.durability } as const;
  const configured = rehearsal === undefined ? sweep.config : { ...sweep.config, storage: inFile };
  let config = withOverrides(configured, options);
  const space = declaredSpaceOf(config);
  const log = new RunLog(options.observer ?? {});
  const isReal = options.rehearsal === undefined;
  const tracking = new SweepTracking(log.observer, {
    track: isReal ? config.track : {},
    projectRoot: sweep.projectRoot,
    joined: options.joined ?? false,
    redact: sweep.loaded.redact,
  });
  const { observer } = tracking;
  const say = (level: MessageLevel, text: string): void => {
    observer.message?.(level, text);
  };
  for (const warning of sweep.loaded.warnings) say('warn', warning);

  const backup = new SweepBackup({ sweep, config, say, onStatus: (states) => observer.backedUp?.(states) });
  try {
    const restored =
      options.rehearsal === undefined
        ? await backup.restoreStudy({ require: options.requireRestore ?? false, shared: true, signal })
        : { studyDir: options.rehearsal.studyDir, restored: true, from: 'a drill' };
    mkdirSync(restored.studyDir, { recursive: true });
    const opened = await openStudy(restored.studyDir, config, space, say);
    await backup.settleRestore();
    const { resumed } = opened;
    let { study } = opened;
    const isElsewhere = config.storage.kind === 'url' && !restored.restored;
    const studyDir = isElsewhere ? sharedStudyDir(sweep, study) : restored.studyDir;
    mkdirSync(studyDir, { recursive: true });
    const events = new EventsLog(join(studyDir, EVENTS_FILE));
    try {
      const plan = planSpace(study, space);
      for (const message of plan.messages) say('warn', message);
      log.open(studyDir);
      backup.logTo(events);
      const folders = new TrialFolders(studyDir, sweep.study8);
      await takeOver(study, folders, events, restored);
      if (await appendChoices(study, plan, () => backup.copyNow(study, join(studyDir, STUDY_DB)))) {
        for (const { name } of plan.appended) events.append({ event: 'choices-appended', parameter: name });
        study = await studyIn(study.storage, config, space);
      }
      config = withOverrides({ ...configured, ...editedBounds(study, sweep.loaded) }, options);
      if (options.joined !== true) await keepConfig(study, sweep.loaded, config, studyDir);
      const end = await runTrials({
        sweep,
        config,
        study,
        studyDir,
        folders,
        events,
        observer,
        backup,
        resumed,
        restored,
        signal,
        options,
      });
      await study.leave();
      // What others did up to now belongs to the summary, and to the last backup.
      await study.sync();
      const [states, tracked] = await Promise.all([
        backup.flush(),
        tracking.close(countTrials(study).finished >= config.trials),
      ]);
      const summary: SweepSummary = {
        study: study.studyName,
        study8: sweep.study8,
        studyDb: config.storage.kind === 'file' ? join(studyDir, STUDY_DB) : null,
        storage: study.storage.location,
        trials: countTrials(study),
        ...bestOf(study),
        restoredFrom: restored.from ?? null,
        backup: { enabled: backup.enabled, destinations: backupSummaries(states) },
        tracking: tracked,
        stopped: end.reason,
        elapsedSeconds: Math.round(performance.now() - startedAt) / 1000,
      };
      observer.finished?.(summary);
      return { summary, interrupted: end.interrupted };
    } finally {
      await backup.leaveShared();
      await study.close();
      await backup.close();
      events.close();
    }
  } finally {
    await tracking.close(false);
    await backup.close();
    log.close();
  }
}

interface TrialsParts {
  readonly sweep: LocatedSweep;
  readonly config: SweepConfig;
  readonly study: Study;
  readonly studyDir: string;
  readonly folders: TrialFolders;
  readonly events: EventsLog;
  readonly observer: SweepObserver;
  readonly backup: SweepBackup;
  readonly resumed: boolean;
  readonly restored: RestoredStudy;
  readonly signal: AbortSignal;
  readonly options: RunSweepOptions;
}

/** The part of a run in which trials run, with backups beside them. */
async function runTrials(parts: TrialsParts): Promise<LoopEnd> {
  const { sweep, config, study, studyDir, folders, events, observer, backup, resumed, restored } = parts;
  const jobs = config.parallel;
  const stops = new StopWatch(study, parts.options.launch);
  if (config.objective.type === 'tfjs' && config.backend === 'auto') recoverBackendChoices(study.history.all, studyDir);
  const runner = createRunner(config, {
    jobs,
    projectRoot: sweep.projectRoot,
    resolvePath: (path) => resolveInputPath(path, sweep.loaded),
    study8: sweep.study8,
    studyDir,
  });
  try {
    const spentBeforeMs = spentBefore(events.path);
    const total = parts.options.rehearsal === undefined ? config.trials : countTrials(study).finished + 1;
    events.append({ event: resumed ? 'sweep-resumed' : 'sweep-started', study8: sweep.study8, total });
    observer.started?.({
      config,
      study,
      study8: sweep.study8,
      studyDir,
      storage: study.storage.location,
      total,
      finished: countTrials(study).finished,
      resumed,
      restoredFrom: restored.from,
      runner: runner.description,
    });
    const limits = new SweepLimits(config.limits, config.metrics, {
      timeoutMs: parts.options.timeoutMs,
      studyDir,
      spentBeforeMs,
    });
    const loop = new SweepLoop({
      study,
      config,
      total,
      jobs,
      threads: Math.max(1, Math.floor(availableParallelism() / jobs)),
      runner,
      folders,
      events,
      limits,
      observer,
      others: config.storage.kind === 'url' ? { areAtWork: () => hasWatchedTrials(study) } : undefined,
      checkpoints: parts.options.rehearsal === undefined ? backup.checkpointsIn(studyDir) : undefined,
      afterTrial: () => {
        backup.afterTrial();
      },
      afterCheckpoint: () => {
        backup.afterCheckpoint();
      },
    });
    await backup.start(study, studyDir, () => {
      loop.stop('another process owns the study now');
    });
    stops.start((now) => {
      loop.stop('stopped by resweep stop', now);
    });
    const budget = watchBudget(study, (wanted) => {
      if (parts.options.trials === undefined && parts.options.rehearsal === undefined) loop.setTotal(wanted);
    });
    const end = await loop.run(parts.signal).finally(() => {
      budget.close();
    });
    events.append({ event: 'sweep-ended', reason: end.reason, seconds: Math.round(limits.elapsedMs / 100) / 10 });
    if (end.error !== undefined) throw end.error instanceof Error ? end.error : new Error(messageOf(end.error));
    return end;
  } finally {
    stops.close();
    await runner.close();
  }
}

/** Whether some trial is running that has a process or a heartbeat: its end, or its loss, will be known. */
async function hasWatchedTrials(study: Study): Promise<boolean> {
  const owners = await study.storage.runningTrials(study.studyId);
  return owners.some(({ process, trialHeartbeatAt }) => process !== undefined || trialHeartbeatAt !== undefined);
}

/** Gives up trials whose process is gone, each to be tried again, and sets folders aside whose trials a restore lost. */
async function takeOver(study: Study, folders: TrialFolders, events: EventsLog, found: RestoredStudy): Promise<void> {
  const { restored, running } = found;
  // In a shared database others may run trials again by now.
  const lost = runningTrials(study, 'its machine is gone: the study was restored from a backup').filter(
    ({ number }) => running?.includes(number) ?? true,
  );
  const interrupted = restored ? await study.interruptTrials(lost) : await study.interruptStaleTrials();
  for (const trial of interrupted) events.append({ event: 'trial-interrupted', trial: trial.number });
  // Folders beside a shared study may be those of trials that others have just begun.
  if (!restored || running !== undefined) return;
  for (const name of folders.setOrphansAside(study.history.all))
    events.append({ event: 'trial-folder-orphaned', folder: name });
}

/** The sweep that the options name. @throws ConfigError */
export async function locateRun(options: RunSweepOptions): Promise<LocatedSweep> {
  const { set, studyName, storage, configPath } = options;
  if (options.sweep !== undefined) return options.sweep;
  const sweep = await locateSweep(configPath, { set, studyName, storage });
  if (options.fresh !== true) return sweep;
  // Another study needs another name: the first of name-2, name-3, … that is not there yet.
  for (let n = 2; ; n++) {
    const candidate = await locateSweep(configPath, { set, studyName: `${sweep.config.study}-${n}`, storage });
    if (!candidate.exists) return candidate;
  }
}

function withOverrides(config: SweepConfig, options: RunSweepOptions): SweepConfig {
  const { trials, jobs } = options;
  if (trials !== undefined && !(Number.isInteger(trials) && trials > 0)) {
    throw new UsageError(`--trials must be a whole number above 0, but got ${trials}.`);
  }
  if (jobs !== undefined && !(Number.isInteger(jobs) && jobs > 0)) {
    throw new UsageError(`--jobs must be a whole number above 0, but got ${jobs}.`);
  }
  return { ...config, trials: trials ?? config.trials, parallel: jobs ?? config.parallel };
}

function runningTrials(study: Study, reason: string): { trialId: number; number: number; reason: string }[] {
  return study.history.unfinished
    .filter((trial) => trial.state === 'RUNNING')
    .map(({ trialId, number }) => ({ trialId, number, reason }));
}

/** Milliseconds that earlier runs of the study took: from each start to the last event before the next, so a killed run counts too. */
function spentBefore(eventsPath: string): number {
  let total = 0;
  let startedAt: number | undefined;
  let lastAt = 0;
  for (const event of readEvents(eventsPath)) {
    const at = typeof event['at'] === 'string' ? Date.parse(event['at']) : NaN;
    if (Number.isNaN(at)) continue;
    if (event.event === 'sweep-started' || event.event === 'sweep-resumed') {
      if (startedAt !== undefined) total += lastAt - startedAt;
      startedAt = at;
    }
    lastAt = at;
  }
  return startedAt === undefined ? 0 : total + lastAt - startedAt;
}
