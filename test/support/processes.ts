import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';

import { afterEach } from 'vitest';

const PROGRAM = resolve(import.meta.dirname, 'study-child.mjs');

/** What `study-child.mjs` takes. */
export interface ChildOptions {
  readonly storage: string;
  readonly studyName: string;
  readonly sampler?: 'tpe' | 'random';
  readonly nTrials?: number;
  readonly total?: number;
  readonly log?: string;
  readonly pauseMs?: number;
  readonly hangAt?: number;
  readonly reports?: number;
  readonly failEvery?: number;
  readonly create?: boolean;
  readonly like?: 'optuna';
  readonly heartbeat?: { readonly intervalMs: number; readonly graceMs: number };
}

/** One process that works on a study. */
export class StudyChild {
  readonly process: ChildProcess;
  readonly #ended: Promise<{ code: number | null; signal: string | null }>;
  #output = '';
  #errors = '';

  constructor(options: ChildOptions) {
    this.process = spawn(process.execPath, [PROGRAM, JSON.stringify(options)], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.process.stdout?.on('data', (chunk: Buffer) => (this.#output += chunk.toString()));
    this.process.stderr?.on('data', (chunk: Buffer) => (this.#errors += chunk.toString()));
    this.#ended = new Promise((resolve) => {
      this.process.once('close', (code, signal) => resolve({ code, signal }));
    });
  }

  /** What it complained of. */
  get errors(): string {
    return this.#errors;
  }

  /** Waits until it has printed this. @throws Error where it ends before */
  async says(text: string): Promise<void> {
    const ended = this.#ended.then(() => true);
    while (!this.#output.includes(text)) {
      const isOver = await Promise.race([ended, new Promise<false>((resolve) => setTimeout(resolve, 5, false))]);
      if (isOver && !this.#output.includes(text)) throw new Error(`It ended without "${text}":\n${this.#errors}`);
    }
  }

  /** Waits for its end. @throws Error with what it complained of, where it did not end well */
  async done(): Promise<void> {
    const { code, signal } = await this.#ended;
    if (code !== 0) throw new Error(`It ended with ${String(code ?? signal)}:\n${this.#errors}`);
  }

  /** Ends it as a power cut would. Returns whether it was still running. */
  async kill(): Promise<boolean> {
    this.process.kill('SIGKILL');
    return (await this.#ended).signal === 'SIGKILL';
  }
}

/** Starts processes; none outlives its test. */
export function children(): (options: ChildOptions) => StudyChild {
  const started: StudyChild[] = [];
  afterEach(async () => {
    for (const child of started.splice(0)) await child.kill();
  });
  return (options) => {
    const child = new StudyChild(options);
    started.push(child);
    return child;
  };
}

/** Numbers that a log of `study-child.mjs` names, in its order. */
export function logged(log: string, what: 'start' | 'end'): number[] {
  if (!existsSync(log)) return [];
  const lines = readFileSync(log, 'utf8').split('\n');
  // The last line may be half written.
  return lines.slice(0, -1).flatMap((line) => (line.startsWith(`${what} `) ? [Number(line.split(' ')[1])] : []));
}
