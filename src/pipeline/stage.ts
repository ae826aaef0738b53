import { existsSync } from 'node:fs';

import { ensureRestoredFromDrive, immediateBackupIfNeeded, newerBackup, type BackupOptions } from '../backup/index.js';
import { messageOf } from '../core/errors.js';

/** Stages after the sweep, in their order. */
export type StageName = 'hpo' | 'benchmark' | 'select' | 'train' | 'convert';

/** What a stage came to. */
export interface StageResult {
  /** `skipped`: everything was there already, complete and for the same inputs. */
  readonly status: 'done' | 'skipped' | 'failed';
  /** Paths of what the stage is for, made now or there before. */
  readonly outputs: string[];
  /** Paths that were missing and came back from a backup. */
  readonly restored: string[];
  /** Paths of which a copy was written. */
  readonly backedUp: string[];
  readonly error?: string;
  readonly elapsedSeconds: number;
}

/** Whoever watches a stage. */
export interface StageReporter {
  message(level: 'info' | 'warn', text: string): void;
  /** How far it is: `done` of `total`, and what that is in words. */
  progress(done: number, total: number, text: string): void;
  event(name: string, fields: Readonly<Record<string, string | number | boolean | null>>): void;
}

/** What every stage is given beside its inputs. */
export interface StageOptions {
  readonly backup: BackupOptions;
  readonly reporter: StageReporter;
  /** Make everything anew, whatever is there. */
  readonly force: boolean;
  readonly signal: AbortSignal;
}

/** A stage was stopped by its signal: what it had is saved, and the same command goes on. */
export class StageInterrupted extends Error {
  constructor() {
    super('The stage was stopped; the same command goes on.');
    this.name = 'StageInterrupted';
  }
}

/**
 * One run of a stage. Every file and folder goes the same way: there locally → used as it is; missing → restored from a backup where
 * there is one; else made; what was made is backed up at once.
 */
export class StageRun {
  readonly name: StageName;
  readonly options: StageOptions;
  readonly #startedAt = performance.now();
  readonly #outputs = new Set<string>();
  readonly #restored = new Set<string>();
  readonly #backedUp = new Set<string>();
  readonly #comparisons: Promise<void>[] = [];
  #hasMade = false;

  constructor(name: StageName, options: StageOptions) {
    this.name = name;
    this.options = options;
  }

  /** Whether a file (folder) is there now: as it was, or restored. Never throws. */
  async isThere(path: string, isDirectory = false): Promise<boolean> {
    if (existsSync(path)) return true;
    const { backup } = this.options;
    const there = await ensureRestoredFromDrive({ path, isDirectory, ...backup });
    if (there && existsSync(path)) this.#restored.add(path);
    return there && existsSync(path);
  }

  /** Backs up what was just made. Never throws. */
  async save(path: string, isDirectory = false): Promise<void> {
    if (await immediateBackupIfNeeded({ path, isDirectory, ...this.options.backup })) this.#backedUp.add(path);
  }

  /** Names an output that was made now. */
  made(path: string): void {
    this.#hasMade = true;
    this.#outputs.add(path);
  }

  /** Names an output that was there before. What is here wins; a backup that is newer, and other, is told of. */
  kept(path: string): void {
    this.#outputs.add(path);
    if (this.#restored.has(path)) return;
    const told = newerBackup({ path, ...this.options.backup }).then((newer) => {
      if (newer === undefined) return;
      this.warn(
        `${path} is used as it is here, although ${newer.destination} has a newer copy (${newer.createdAt}); delete it here to have that one restored.`,
      );
    });
    this.#comparisons.push(told);
  }

  /** Resolves when everything is told. */
  async settled(): Promise<void> {
    await Promise.all(this.#comparisons);
  }

  info(text: string): void {
    this.options.reporter.message('info', `${this.name}: ${text}`);
  }

  warn(text: string): void {
    this.options.reporter.message('warn', `${this.name}: ${text}`);
  }

  /** @throws StageInterrupted once the stage is to stop */
  checkStopped(): void {
    if (this.options.signal.aborted) throw new StageInterrupted();
  }

  result(error?: unknown): StageResult {
    const elapsedSeconds = Math.round(performance.now() - this.#startedAt) / 1000;
    const lists = { outputs: [...this.#outputs], restored: [...this.#restored], backedUp: [...this.#backedUp] };
    if (error !== undefined) return { status: 'failed', ...lists, error: messageOf(error), elapsedSeconds };
    return { status: this.#hasMade ? 'done' : 'skipped', ...lists, elapsedSeconds };
  }
}

/** Runs a stage's work and says how it ended; only an interruption is thrown on. */
export async function runStage(
  name: StageName,
  options: StageOptions,
  work: (run: StageRun) => Promise<void>,
): Promise<StageResult> {
  const run = new StageRun(name, options);
  const { reporter } = options;
  reporter.event('stage-started', { stage: name });
  try {
    await work(run);
    await run.settled();
    const result = run.result();
    if (result.status === 'skipped') run.info('everything is there already: nothing to do (--force does it again).');
    reporter.event('stage-ended', { stage: name, status: result.status, seconds: result.elapsedSeconds });
    return result;
  } catch (error) {
    if (error instanceof StageInterrupted) {
      reporter.event('stage-ended', { stage: name, status: 'interrupted' });
      throw error;
    }
    reporter.event('stage-ended', { stage: name, status: 'failed', error: messageOf(error) });
    return run.result(error);
  }
}
