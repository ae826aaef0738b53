import { copyFileSync, existsSync, mkdtempSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

import { syncFolder } from '../../core/atomic-file.js';
import { messageOf, UsageError } from '../../core/errors.js';
import { STUDY_DB } from '../../core/study-paths.js';
import { salvageStudyFile, type SalvageReport } from '../../storage/rdb/sqlite-salvage.js';
import { inspectStudyFile } from '../../storage/rdb/sqlite-file-copy.js';
import { hotLogBytes, mendTimes, oddTimes, settleLog, unsafeFileSystemOf } from '../../storage/rdb/sqlite-health.js';
import { fileUsers } from './file-users.js';
import type { Finding } from './fsck-finding.js';
import { checkFolder } from './fsck-folder.js';
import { releaseLostTrials } from './fsck-trials.js';
import { isConfigFile } from '../studies/find-config.js';
import { locateSweep, type LocatedSweep } from '../studies/locate-sweep.js';

export type { Finding } from './fsck-finding.js';

export interface FsckReport {
  /** Nothing is wrong now: nothing was, or all is repaired without a loss. */
  readonly ok: boolean;
  readonly studyDb: string;
  readonly findings: readonly Finding[];
  readonly finishedTrials: number | null;
  /** What was read out of a damaged database. */
  readonly salvage: SalvageReport | null;
  /** Where the damaged original is kept. */
  readonly original: string | null;
}

export interface FsckOptions {
  /** Configuration, study folder or database file. */
  readonly target: string;
  /** Look only; nothing is changed. */
  readonly dryRun: boolean;
  readonly set?: readonly string[] | undefined;
  readonly now?: number | undefined;
}

/**
 * Checks a study and everything in its folder, and repairs what can be repaired. Nothing is thrown away: a damaged database is moved
 * aside whole, and what can be read of it goes into a new one.
 * @throws UsageError where there is no such study, or a process has it open
 */
export async function fsck(options: FsckOptions): Promise<FsckReport> {
  const { studyDb, sweep } = await locate(options);
  const run = new Fsck(studyDb, sweep, options);
  return run.all();
}

async function locate({ target, set }: FsckOptions): Promise<{ studyDb: string; sweep: LocatedSweep | undefined }> {
  if (isConfigFile(target)) {
    const sweep = await locateSweep(target, { set });
    return { studyDb: join(sweep.studyDir, STUDY_DB), sweep };
  }
  const path = resolve(target);
  if (!existsSync(path)) {
    throw new UsageError(`There is no ${target}.`, { hint: 'Name a configuration, a study folder or a study.db.' });
  }
  return { studyDb: statSync(path).isDirectory() ? join(path, STUDY_DB) : path, sweep: undefined };
}

class Fsck {
  readonly #path: string;
  readonly #sweep: LocatedSweep | undefined;
  readonly #dryRun: boolean;
  readonly #now: number;
  readonly #findings: Finding[] = [];
  #salvage: SalvageReport | null = null;
  #original: string | null = null;

  constructor(path: string, sweep: LocatedSweep | undefined, options: FsckOptions) {
    this.#path = path;
    this.#sweep = sweep;
    this.#dryRun = options.dryRun;
    this.#now = options.now ?? Date.now();
  }

  async all(): Promise<FsckReport> {
    if (!existsSync(this.#path)) {
      throw new UsageError(`There is no ${this.#path}.`, { hint: 'resweep restore brings it back from a backup.' });
    }
    const users = fileUsers(this.#path);
    if (users.length > 0 && !this.#dryRun) {
      throw new UsageError(`${this.#path} is open in process ${users.join(', ')}: nothing was checked.`, {
        hint: 'Stop it first, or look only: --dry-run',
      });
    }
    this.#place();
    const whole = this.#database();
    if (whole) {
      this.#clock();
      for (const finding of await releaseLostTrials(this.#path, this.#dryRun)) this.#note({ kind: 'lock', ...finding });
    }
    for (const finding of this.#folder()) this.#note(finding);
    const after = existsSync(this.#path) ? inspectStudyFile(this.#path) : undefined;
    this.#leaveNoLog();
    return {
      ok: this.#findings.every(({ state, kind }) => state === 'repaired' || (state === 'yours' && kind !== 'database')),
      studyDb: this.#path,
      findings: this.#findings,
      finishedTrials: after?.intact === true ? after.finished : null,
      salvage: this.#salvage,
      original: this.#original,
    };
  }

  #note(finding: Omit<Finding, 'path'> & { path?: string }): void {
    this.#findings.push({ path: this.#path, ...finding });
  }

  #place(): void {
    const name = unsafeFileSystemOf(this.#path);
    if (name === undefined) return;
    this.#note({
      kind: 'place',
      problem: `it lies on ${name}, where SQLite's locks are not reliable`,
      remedy: 'Move the project to a local disk, and make this place a backup destination.',
      state: 'yours',
    });
  }

  /** Whether the database can be used now. */
  #database(): boolean {
    const log = hotLogBytes(this.#path);
    if (log > 0 && !this.#dryRun) {
      try {
        settleLog(this.#path);
        this.#note({
          kind: 'log',
          problem: `a killed process left ${log} bytes of log beside it`,
          remedy: 'The log was played back into the database.',
          state: 'repaired',
        });
      } catch {
        // The database itself is damaged: what follows says so.
      }
    } else if (log > 0) {
      const remedy = 'It will be played back by the next opening.';
      this.#note({ kind: 'log', problem: `${log} bytes of log lie beside it`, remedy, state: 'repairable' });
    }
    const report = inspectStudyFile(this.#path);
    const cut = report.intact ? cutOff(this.#path) : undefined;
    if (report.intact && cut === undefined) return true;
    const problem = cut ?? report.problem ?? 'it is damaged';
    if (this.#dryRun) {
      const remedy = 'resweep fsck reads what can be read of it into a new file; a backup may hold more.';
      this.#note({ kind: 'database', problem, remedy, state: 'repairable' });
      return false;
    }
    this.#salvageDatabase(problem);
    return this.#salvage !== null;
  }

  /** Looking at a database in WAL mode leaves empty logs beside it. */
  #leaveNoLog(): void {
    if (this.#dryRun || !existsSync(`${this.#path}-wal`)) return;
    try {
      settleLog(this.#path);
    } catch {
      // A damaged one keeps what lies beside it.
    }
  }

  #salvageDatabase(problem: string): void {
    const folder = mkdtempSync(join(dirname(this.#path), '.resweep-fsck-'));
    try {
      const work = join(folder, 'work.db');
      for (const suffix of ['', '-wal', '-journal'])
        if (existsSync(this.#path + suffix)) copyFileSync(this.#path + suffix, work + suffix);
      const target = join(folder, 'salvaged.db');
      const config = this.#sweep?.config;
      const salvage = salvageStudyFile(work, target, {
        studyName: config?.study,
        directions: config?.metrics.map(({ goal }) => goal),
      });
      const check = inspectStudyFile(target);
      if (!check.intact) throw new Error(check.problem ?? 'what was read makes no study');
      this.#original = this.#moveAside();
      renameSync(target, this.#path);
      syncFolder(dirname(this.#path));
      this.#salvage = salvage;
      const lost = Object.values(salvage.tables).some((table) => table.lost > 0) || salvage.incomplete.length > 0;
      const what = lost ? `parts are lost (trials ${salvage.incomplete.join(', ') || '–'})` : 'none is lost';
      this.#note({
        kind: 'database',
        problem,
        remedy: `${salvage.finished} finished trials were read into a new file, ${what}; the damaged one is kept as ${basename(this.#original)}.`,
        state: lost ? 'lost' : 'repaired',
      });
    } catch (error) {
      const remedy = `Nothing was changed, because nothing can be read of it (${messageOf(error)}). resweep restore brings back a backup once it is moved away.`;
      this.#note({ kind: 'database', problem, remedy, state: 'lost' });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  /** The damaged file and its logs under another name. The name ends so that no backup takes them for finished files. */
  #moveAside(): string {
    const stamp = new Date(this.#now).toISOString().replaceAll(/[-:]|\.\d+/g, '');
    const aside = `${this.#path}.damaged-${stamp}`;
    for (const suffix of ['', '-wal', '-shm', '-journal'])
      if (existsSync(this.#path + suffix)) renameSync(this.#path + suffix, `${aside}${suffix}.old`);
    return `${aside}.old`;
  }

  #clock(): void {
    const odd = oddTimes(this.#path, this.#now);
    if (odd.length === 0) return;
    if (!this.#dryRun) mendTimes(this.#path, this.#now);
    const left = this.#dryRun ? [] : oddTimes(this.#path, this.#now);
    const [first] = odd;
    const mended = 'Signs of life are set to now, beginnings after their end to it.';
    const kept = 'Times of trials in the future are left: results and the order of trials do not depend on clocks.';
    this.#note({
      kind: 'clock',
      problem: `a clock has jumped: ${first?.what ?? ''}: ${first?.problem ?? ''}${odd.length > 1 ? `, and ${odd.length - 1} more` : ''}`,
      remedy: left.length === 0 ? mended : left.length === odd.length ? kept : `${mended} ${kept}`,
      state: this.#dryRun ? 'repairable' : left.length === 0 ? 'repaired' : 'yours',
    });
  }

  #folder(): Finding[] {
    return basename(this.#path) === STUDY_DB ? checkFolder(dirname(this.#path), this.#dryRun, this.#now) : [];
  }
}

/** SQLite itself does not notice a last page that was cut off. */
function cutOff(path: string): string | undefined {
  const { size } = statSync(path);
  return size % 512 === 0 ? undefined : `it ends in the middle of a page (${size} bytes)`;
}
