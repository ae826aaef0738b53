import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { declaredSpaceOf } from '../../config/declared-space.js';
import { resolveInputPath } from '../../config/project-root.js';
import {
  backUpStudyFolder,
  ensureRestoredFromDrive,
  setupCheckpointStorage,
  type BackupOptions,
  type Drive,
} from '../../backup/index.js';
import { EVENTS_FILE, OUTPUTS_FOLDER, STUDY_DB } from '../../core/study-paths.js';
import type { StageName, StageOptions, StageReporter } from '../../pipeline/stage.js';
import { StageInputMissing, type StageStudy } from '../../pipeline/stage-study.js';
import { NopPruner } from '../../pruners/nop-pruner.js';
import { RandomSampler } from '../../samplers/random-sampler.js';
import { openStorage } from '../../storage/open-storage.js';
import { loadStudy } from '../../study/create-study.js';
import { createConfiguredDrive } from '../backup/create-drive.js';
import { EventsLog } from '../sweep/events-log.js';
import type { LocatedSweep } from '../studies/locate-sweep.js';
import { RunLog } from '../sweep/run-log.js';
import { restoreStudy } from '../sweep/sweep-restore.js';
import type { MessageLevel } from '../sweep/sweep-observer.js';
import { countTrials } from '../sweep/sweep-summary.js';
import { TrialFolders } from '../trials/trial-folders.js';
import { locateInput, nameOfInput, type ConfigInput } from './config-input.js';

/** Whoever shows a stage to people. */
export interface StageObserver {
  message?(level: MessageLevel, text: string): void;
  progress?(stage: StageName, done: number, total: number, text: string): void;
}

/** What the functions of the stages take beside a configuration, all of it optional. */
export interface StageFunctionOptions extends BackupOptions {
  /** Make it anew, whatever is there. */
  readonly force?: boolean | undefined;
  /** Stops the stage; the same call goes on. */
  readonly signal?: AbortSignal | undefined;
  readonly observer?: StageObserver | undefined;
  /** `dotted.key=value` over the configuration. */
  readonly set?: readonly string[] | undefined;
}

/**
 * What the stages of one configuration share: its studies, where backups go (the given callbacks, else the configured destinations),
 * and where it is told. Close it at the end.
 */
export class StageSession {
  readonly sweeps: readonly LocatedSweep[];
  /** The configuration as a person names it. */
  readonly name: string;
  readonly #options: StageFunctionOptions;
  readonly #drive: Drive | undefined;
  readonly #log: RunLog;
  #events: EventsLog | undefined;
  /** Where events and log go; undefined until that is known. */
  #logFolder: string | undefined;
  #hasMade = false;

  private constructor(input: ConfigInput, sweeps: readonly LocatedSweep[], options: StageFunctionOptions) {
    this.sweeps = sweeps;
    this.name = nameOfInput(input);
    this.#options = options;
    const observer = options.observer ?? {};
    this.#log = new RunLog({ message: (level, text) => observer.message?.(level, text) });
    const [sweep] = sweeps;
    const hasCallbacks = options.backupToDrive !== undefined || options.restoreFromDrive !== undefined;
    if (sweep !== undefined && !hasCallbacks && options.backupEnabled !== false) {
      this.#drive = createConfiguredDrive(sweep.config, sweep.projectRoot, {
        log: {
          info: () => undefined,
          warn: (message) => {
            this.say('warn', message);
          },
        },
      });
    }
  }

  /** @throws ConfigError */
  static async open(input: ConfigInput, options: StageFunctionOptions): Promise<StageSession> {
    return new StageSession(input, await locateInput(input, options.set), options);
  }

  get backup(): BackupOptions {
    const { backupToDrive, restoreFromDrive, backupEnabled } = this.#options;
    const log = {
      warn: (message: string) => {
        this.say('warn', message);
      },
    };
    if (this.#drive === undefined) return { backupToDrive, restoreFromDrive, backupEnabled, log };
    return {
      backupToDrive: this.#drive.backupToDrive,
      restoreFromDrive: this.#drive.restoreFromDrive,
      backupEnabled,
      log,
    };
  }

  get signal(): AbortSignal {
    return this.#options.signal ?? new AbortController().signal;
  }

  say(level: MessageLevel, text: string): void {
    this.#log.observer.message?.(level, text);
  }

  /** Options of one stage. */
  stage(name: StageName): StageOptions {
    const { force = false, observer } = this.#options;
    const reporter: StageReporter = {
      message: (level, text) => {
        this.say(level, text);
      },
      progress: (done, total, text) => observer?.progress?.(name, done, total, text),
      event: (event, fields) => {
        if (fields['status'] === 'done') this.#hasMade = true;
        this.#events?.append({ event, ...fields });
      },
    };
    return { backup: this.backup, reporter, force, signal: this.signal };
  }

  /** All studies, each restored where it is missing. @throws StageInputMissing where one is nowhere */
  async studies(): Promise<StageStudy[]> {
    const studies: StageStudy[] = [];
    for (const sweep of this.sweeps) studies.push(await this.#study(sweep));
    const [first] = studies;
    if (first !== undefined) this.#logTo(first.studyDir);
    return studies;
  }

  /** The database of a sweep that has all its trials and lies here; undefined where there is something to do. */
  async finishedStudy({ config, studyDir }: LocatedSweep): Promise<string | undefined> {
    const studyDb = join(studyDir, STUDY_DB);
    if (config.storage.kind !== 'file' || !existsSync(studyDb)) return undefined;
    const storage = await openStorage(studyDb, { readOnly: true });
    try {
      const parts = { sampler: new RandomSampler(), pruner: new NopPruner() };
      const study = await loadStudy({ storage, studyName: config.study, ...parts });
      await study.sync();
      return countTrials(study).finished >= config.trials ? studyDb : undefined;
    } finally {
      await storage.close();
    }
  }

  #logTo(studyDir: string): void {
    if (this.#logFolder !== undefined) return;
    this.#logFolder = studyDir;
    this.#log.open(studyDir);
    this.#events = new EventsLog(join(studyDir, EVENTS_FILE));
  }

  async #study(sweep: LocatedSweep): Promise<StageStudy> {
    const { config } = sweep;
    const studyDir = await this.#studyDir(sweep);
    const storage = await openStorage(config.storage.kind === 'url' ? config.storage.url : join(studyDir, STUDY_DB), {
      readOnly: true,
    });
    try {
      const parts = { sampler: new RandomSampler(), pruner: new NopPruner() };
      const study = await loadStudy({ storage, studyName: config.study, ...parts });
      await study.sync();
      const folders = new TrialFolders(studyDir, sweep.study8);
      const { constants } = declaredSpaceOf(config);
      const { history } = study;
      // The folder says under which environment the study began.
      const environment = studyDir.split(/[/\\]/).at(-3) ?? config.environment;
      return {
        config,
        study8: sweep.study8,
        studyDir,
        place: { projectRoot: sweep.projectRoot, environment, backbone: config.backbone },
        seed: study.seed,
        trials: history.finished,
        paramsOf: (trial) => ({ ...constants, ...trial.params }),
        logicalIndexOf: (trial) => history.logicalIndexOf(trial),
        trialDirOf: (trial) => folders.pathOf(trial, history.logicalIndexOf(trial), trial.params),
        resolvePath: (path) => resolveInputPath(path, sweep.loaded),
      };
    } finally {
      await storage.close();
    }
  }

  /** Folder of a study whose database is there now, or on a server. */
  async #studyDir(sweep: LocatedSweep): Promise<string> {
    const { config, studyDir } = sweep;
    const studyDb = join(studyDir, STUDY_DB);
    if (config.storage.kind === 'url' || existsSync(studyDb)) return studyDir;
    if (config.storage.kind === 'memory') {
      throw new StageInputMissing('The study', ['memory: storage: memory keeps nothing'], `resweep run ${this.name}`);
    }
    const found = this.#drive === undefined ? await this.#restoreByCallbacks(sweep) : await this.#restoreByDrive(sweep);
    if (found !== undefined) return found;
    const places = [studyDb, ...this.#places()];
    throw new StageInputMissing(`The study of ${this.name}`, places, `resweep run ${this.name}`);
  }

  #places(): string[] {
    const { config } = this.sweeps[0] ?? {};
    if (this.#drive === undefined || config === undefined) return ['no backup destination is configured'];
    return config.backup.destinations.map(({ name, type }) => `the destination ${name} (${type})`);
  }

  async #restoreByDrive(sweep: LocatedSweep): Promise<string | undefined> {
    const say = (level: MessageLevel, text: string): void => {
      if (level !== 'info') this.say(level, text);
    };
    const { studyDir, restored } = await restoreStudy({ sweep, config: sweep.config, say }, this.signal);
    if (restored) this.say('info', `${join(studyDir, STUDY_DB)} was restored.`);
    return existsSync(join(studyDir, STUDY_DB)) ? studyDir : undefined;
  }

  async #restoreByCallbacks({ config, projectRoot, study8, studyDir }: LocatedSweep): Promise<string | undefined> {
    if (await ensureRestoredFromDrive({ path: join(studyDir, STUDY_DB), ...this.backup })) {
      await ensureRestoredFromDrive({ path: studyDir, isDirectory: true, ...this.backup });
      return studyDir;
    }
    const found = await setupCheckpointStorage({
      outputDir: join(projectRoot, OUTPUTS_FOLDER),
      backbone: config.backbone,
      study8,
      studyName: config.study,
      ...this.backup,
    });
    const folder = found.studyDb === undefined ? undefined : join(found.studyDb, '..');
    return folder !== undefined && existsSync(join(folder, STUDY_DB)) ? folder : undefined;
  }

  async close(): Promise<void> {
    this.#events?.close();
    this.#log.close();
    // Events and log of the stages are the study's: saved with its folder, whose copies they are part of.
    const { backupToDrive, backupEnabled } = this.backup;
    if (this.#logFolder !== undefined && this.#hasMade && backupEnabled !== false && backupToDrive !== undefined) {
      await backUpStudyFolder(backupToDrive, this.#logFolder).catch(() => undefined);
    }
    await this.#drive?.close();
  }
}
