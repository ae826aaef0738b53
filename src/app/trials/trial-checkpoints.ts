import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { messageOf } from '../../core/errors.js';
import { every } from '../../core/long-timers.js';
import { isThere, type Drive } from '../../backup/index.js';
import type { MessageLevel } from '../sweep/sweep-observer.js';

/** Longest time that the end of an interrupted trial waits for its checkpoint to be saved. */
const LAST_SAVE_MS = 45_000;

export interface TrialCheckpointsOptions {
  readonly drive: Drive;
  /** The study's folder, which some worker backs up as a whole now and then. */
  readonly studyDir: string;
  /** Longest age of a running trial's saved checkpoint. */
  readonly everyMs: number;
  readonly say: (level: MessageLevel, text: string) => void;
}

/**
 * Checkpoints of a shared study's trials: each worker saves those of its own trials to the destinations, and brings back that of a
 * trial which another machine began. Nothing here throws.
 */
export class TrialCheckpoints {
  readonly #options: TrialCheckpointsOptions;

  constructor(options: TrialCheckpointsOptions) {
    this.#options = options;
  }

  /** Fills the empty folder of a trial that is tried again with its last saved checkpoint. Returns whether there was one. */
  async restore(checkpointDir: string): Promise<boolean> {
    const { drive, studyDir, say } = this.#options;
    if (stateOf(checkpointDir) !== '') return false;
    try {
      let result = await drive.restore(checkpointDir, { isDirectory: true });
      if (result.status === 'absent')
        result = await drive.restore(checkpointDir, { isDirectory: true, within: studyDir });
      if (isThere(result) && result.files.length > 0) return true;
      if (result.status !== 'absent' && !isThere(result))
        say('warn', `A checkpoint could not be restored (${result.error ?? result.status}): its trial begins anew.`);
    } catch (error) {
      say('warn', `A checkpoint could not be restored (${messageOf(error)}): its trial begins anew.`);
    }
    return false;
  }

  /** Saves the checkpoint of a running trial now and then, from now on. */
  follow(checkpointDir: string): FollowedCheckpoint {
    return new FollowedCheckpoint(this.#options, checkpointDir);
  }
}

/** The checkpoint of one running trial. */
export class FollowedCheckpoint {
  readonly #options: TrialCheckpointsOptions;
  readonly #folder: string;
  readonly #stop: () => void;
  #saved: string;
  #saving: Promise<void> | undefined;

  constructor(options: TrialCheckpointsOptions, folder: string) {
    this.#options = options;
    this.#folder = folder;
    this.#saved = stateOf(folder);
    this.#stop = every(options.everyMs, () => void this.#save());
  }

  /** The trial is over. One that was interrupted has its checkpoint saved before anybody else can begin it. */
  async end(interrupted: boolean): Promise<void> {
    this.#stop();
    if (!interrupted) return;
    let timer: NodeJS.Timeout | undefined;
    const bound = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, LAST_SAVE_MS);
    });
    await Promise.race([this.#save().then(() => this.#save()), bound]);
    clearTimeout(timer);
  }

  /** One save at a time; nothing where nothing has changed. */
  #save(): Promise<void> {
    this.#saving ??= this.#saveNow().finally(() => {
      this.#saving = undefined;
    });
    return this.#saving;
  }

  async #saveNow(): Promise<void> {
    const state = stateOf(this.#folder);
    if (state === this.#saved || state === '') return;
    const { ok, error } = await this.#options.drive.backup(this.#folder, { isDirectory: true });
    if (ok) this.#saved = state;
    else this.#options.say('warn', `A checkpoint was not saved: ${error ?? 'no destination took it'}`);
  }
}

/** Names, sizes and times of what lies in a folder; empty for nothing. */
function stateOf(folder: string): string {
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .sort()
      .flatMap((name) => {
        const stats = lstatSync(join(folder, name), { throwIfNoEntry: false });
        return stats?.isFile() === true ? [`${name} ${stats.size} ${stats.mtimeMs}`] : [];
      })
      .join('\n');
  } catch {
    return '';
  }
}
