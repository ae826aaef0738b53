import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** An objective of one variable with a few reports, a checkpoint file, and a pause per report. */
const OBJECTIVE = `
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
export default async function (trial) {
  const { x, kind, y = 0 } = trial.params;
  const checkpoint = join(trial.checkpointDir, 'state.json');
  let state = existsSync(checkpoint) ? JSON.parse(readFileSync(checkpoint, 'utf8')) : { step: 0, sum: 0 };
  while (state.step < 4) {
    state = { step: state.step + 1, sum: state.sum + (x - 2) ** 2 + (kind === 'b' ? 1 : 0) + y };
    writeFileSync(checkpoint + '.tmp', JSON.stringify(state));
    renameSync(checkpoint + '.tmp', checkpoint);
    await trial.report(state.step, state.sum / state.step);
    if (PAUSE > 0) await new Promise((resolve) => setTimeout(resolve, PAUSE));
    if (trial.signal.aborted) throw trial.signal.reason;
  }
  trial.log('x is ' + x);
  return { loss: state.sum / 4, seconds: 0.5 };
}
`;

/** What `resweep run --json` prints, as far as tests look at it. */
export interface RunSummary {
  readonly study8: string;
  readonly studyDb: string;
  readonly trials: Readonly<Record<string, number>>;
  readonly best: {
    readonly number: number;
    readonly value: number;
    readonly params: Readonly<Record<string, unknown>>;
  };
  readonly restoredFrom: string | null;
  readonly backup: { readonly enabled: boolean; readonly destinations: readonly Readonly<Record<string, unknown>>[] };
  readonly elapsedSeconds: number;
}

/** A row of `resweep trials --json`. */
export interface TrialRow {
  readonly number: number;
  readonly state: string;
  readonly values: readonly number[] | null;
  readonly params: Readonly<Record<string, unknown>>;
  readonly retryOf: readonly number[];
}

/** A project folder with a configuration, in which the built command line runs. */
export class CliProject {
  readonly folder = mkdtempSync(join(tmpdir(), 'resweep-e2e-'));
  readonly config = 'configs/sweep.yaml';
  /** What its user's processes keep between two runs: nothing of it stays on the machine that tests. */
  readonly #state = mkdtempSync(join(tmpdir(), 'resweep-e2e-state-'));

  constructor(options: { config?: string; pauseMs?: number } = {}) {
    mkdirSync(join(this.folder, 'configs'));
    writeFileSync(join(this.folder, 'package.json'), '{"type": "module"}');
    writeFileSync(join(this.folder, 'objective.js'), OBJECTIVE.replaceAll('PAUSE', String(options.pauseMs ?? 0)));
    this.writeConfig(options.config ?? '');
  }

  /** The usual configuration with lines added (a repeated key replaces it). */
  writeConfig(lines: string): void {
    const base: Record<string, string> = {
      study: 'quadratic',
      backbone: 'demo',
      metric: '{ name: loss, goal: minimize }',
      trials: '10',
      parallel: '2',
      sampler: '{ type: tpe, seed: 7, n_startup_trials: 5 }',
      pruner: 'nop',
      parameters:
        '{ x: { min: -5.0, max: 5.0 }, kind: { values: [a, b] }, y: { min: 0.0, max: 1.0, when: { kind: b } } }',
      objective: '{ type: module, path: objective.js }',
      backup: '{ destinations: [{ name: disk, type: folder, path: backups }] }',
    };
    for (const line of lines.split('\n')) {
      const [, key, value] = /^(\w+): (.*)$/.exec(line) ?? [];
      if (key !== undefined && value !== undefined) base[key] = value;
    }
    const text = Object.entries(base).map(([key, value]) => `${key}: ${value}\n`);
    writeFileSync(join(this.folder, this.config), text.join(''));
  }

  /** Runs a command to its end. */
  run(...args: readonly string[]): { code: number | null; stdout: string; stderr: string } {
    const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
      cwd: this.folder,
      encoding: 'utf8',
      timeout: 60_000,
      env: this.#env(),
    });
    return { code: status, stdout, stderr };
  }

  /** The JSON document that a command prints. */
  // The caller knows what it asks for.
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters
  json<T>(...args: readonly string[]): T {
    const { stdout, stderr } = this.run(...args, '--json');
    try {
      return JSON.parse(stdout) as T;
    } catch {
      throw new Error(`No JSON: ${stdout}\n${stderr}`);
    }
  }

  /** Starts a command in a process group of its own. */
  start(...args: readonly string[]): ChildProcess & { output: () => string } {
    const child = spawn(process.execPath, [MAIN, ...args], {
      cwd: this.folder,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: this.#env(),
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    return Object.assign(child, { output: () => output });
  }

  remove(): void {
    for (const folder of [this.folder, this.#state]) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }

  #env(): NodeJS.ProcessEnv {
    return { ...process.env, RESWEEP_ENVIRONMENT: 'local', XDG_STATE_HOME: this.#state };
  }
}

/** Waits for a process's end: its exit code or signal. */
export function exitOf(child: ChildProcess): Promise<number | NodeJS.Signals | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode ?? child.signalCode);
  return new Promise((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal)));
}

/** Waits until a condition holds. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = 60_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`Waited in vain for ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
