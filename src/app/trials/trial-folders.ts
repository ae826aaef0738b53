import { existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';

import type { ParamValue } from '../../core/distributions.js';
import type { FrozenTrial } from '../../core/frozen-trial.js';
import { ORPHANED_FOLDER, trialFolderName, TRIALS_FOLDER } from '../../core/study-paths.js';
import { trial8Of } from '../../core/trial-key.js';
import { originalNumberOf } from '../../study/retry.js';

/** Where one trial keeps its files. */
export interface TrialFolder {
  readonly trialDir: string;
  readonly checkpointDir: string;
}

/** The folders `trials/trial-<0000>-<trial8>/` of one study. */
export class TrialFolders {
  readonly #root: string;
  readonly #study8: string;

  constructor(studyDir: string, study8: string) {
    this.#root = join(studyDir, TRIALS_FOLDER);
    this.#study8 = study8;
  }

  /** Path of a trial's folder. A retry has its original's, so that it finds the checkpoint. */
  pathOf(trial: FrozenTrial, logicalIndex: number, params: Readonly<Record<string, ParamValue>>): string {
    return join(this.#root, trialFolderName(originalNumberOf(trial), trial8Of(this.#study8, logicalIndex, params)));
  }

  /** The same, made. */
  open(trial: FrozenTrial, logicalIndex: number, params: Readonly<Record<string, ParamValue>>): TrialFolder {
    const trialDir = this.pathOf(trial, logicalIndex, params);
    const checkpointDir = join(trialDir, 'checkpoint');
    mkdirSync(checkpointDir, { recursive: true });
    return { trialDir, checkpointDir };
  }

  /**
   * Puts folders that belong to no trial of the study (a restore lost their trials) into `trials/.orphaned/`.
   * @returns their names
   */
  setOrphansAside(trials: readonly FrozenTrial[]): string[] {
    if (!existsSync(this.#root)) return [];
    const known = new Set(trials.map((trial) => this.pathOf(trial, trial.logicalIndex, trial.params)));
    const orphans = readdirSync(this.#root).filter(
      (name) => name.startsWith('trial-') && !known.has(join(this.#root, name)),
    );
    for (const name of orphans) {
      mkdirSync(join(this.#root, ORPHANED_FOLDER), { recursive: true });
      renameSync(join(this.#root, name), freePath(join(this.#root, ORPHANED_FOLDER, name)));
    }
    return orphans;
  }
}

function freePath(path: string): string {
  for (let n = 0; ; n++) {
    const candidate = n === 0 ? path : `${path}.${n}`;
    if (!existsSync(candidate)) return candidate;
  }
}
