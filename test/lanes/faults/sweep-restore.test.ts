/* A whole sweep through the built command, on a machine that dies again and again, with and without its disk. */
import { spawn, type ChildProcess } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { readEvents, type SweepEvent } from '../../../src/app/sweep/events-log.js';
import type { FrozenTrial } from '../../../src/core/frozen-trial.js';
import { loadStudy } from '../../../src/study/create-study.js';

const COMMAND = resolve(import.meta.dirname, '../../../dist/cli/main.js');
const KILLS = 20;
/** Total of the runs that are killed: none may end before. */
const OUT_OF_REACH = 1e6;
const CHUNK_BYTES = 32 << 10;
/** One of the bytes by which SQLite knows its files. */
const MAGIC_BYTE = 3;

const CONFIG = `
study: kills
backbone: none
metric: { name: loss, goal: minimize }
trials: 1
parallel: 2
sampler: { type: tpe, seed: 7 }
pruner: { type: median, n_startup_trials: 5, n_warmup_steps: 1 }
parameters:
  x: { min: -5.0, max: 5.0 }
  width: { min: 1, max: 64, log: true }
  kind: { values: [a, b, c] }
objective: { type: module, path: ./objective.mjs }
backup:
  destinations:
    - { name: backups, type: folder, path: backups }
`;

const OBJECTIVE = `
export default async function ({ params, report }) {
  const value = params.x ** 2 + params.width / 64 + 'abc'.indexOf(params.kind);
  for (let step = 1; step <= 2; step++) {
    await new Promise((resolve) => setTimeout(resolve, 30 + 20 * Math.random()));
    await report(step, value + 1 / step);
  }
  return value;
}
`;

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));
const isFinal = (trial: FrozenTrial): boolean => trial.isFinished && !trial.isSuperseded;

/** What must never change of a trial once it is safe. */
function essence({ state, values, params }: FrozenTrial): string {
  return JSON.stringify({ state, values, params });
}

const textOf = (event: SweepEvent, key: string): string => {
  const value = event[key];
  return typeof value === 'string' ? value : '';
};
const isOfDatabase = (event: SweepEvent): boolean => textOf(event, 'path').endsWith('/study.db');

/** What of a manifest the test looks at; see docs/backup-format.md. */
interface Manifest {
  readonly path: string;
  readonly packs: readonly { readonly sha256: string }[];
  readonly members: readonly { readonly chunks?: readonly (readonly [string, string, number, number])[] }[];
}

/** A project on a machine whose processes die at any moment, and whose `outputs/` may go with them. */
class Machine {
  readonly root = mkdtempSync(join(tmpdir(), 'resweep-machine-'));
  /** Acknowledged by an event: finished trials by name of the saved state. */
  readonly acknowledged = new Map<string, number>();
  /** Names of saved states that were damaged. */
  readonly damaged = new Set<string>();
  /** Everything that the runs of the command said. */
  said = '';
  /** Every event of every run, also of those whose log was lost. */
  readonly events = new Map<string, SweepEvent>();
  /** Trials that are safe, by number: what they are must stay so. */
  safe = new Map<number, string>();
  /** Trials that were done for good at some moment. */
  mostFinished = 0;
  #child: ChildProcess | undefined;

  constructor() {
    writeFileSync(join(this.root, 'package.json'), '{"type":"module"}');
    mkdirSync(join(this.root, 'configs'));
    writeFileSync(join(this.root, 'configs', 'kills.yaml'), CONFIG);
    writeFileSync(join(this.root, 'configs', 'objective.mjs'), OBJECTIVE);
  }

  get studyFolder(): string | undefined {
    const parent = join(this.root, 'outputs', 'hpo', 'local', 'none');
    const name = existsSync(parent) ? readdirSync(parent).find((entry) => entry.startsWith('study-')) : undefined;
    return name === undefined ? undefined : join(parent, name);
  }

  /** Starts the command in a process group of its own; resolves with its exit code, or with the signal that ended it. */
  start(total: number): Promise<number | NodeJS.Signals> {
    const child = spawn(process.execPath, [COMMAND, 'run', 'configs/kills.yaml', '--trials', String(total)], {
      cwd: this.root,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, RESWEEP_ENVIRONMENT: 'local', NO_COLOR: '1' },
    });
    this.#child = child;
    const hear = (chunk: Buffer): void => {
      this.said += chunk.toString();
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    return new Promise((done) => {
      child.once('close', (code, signal) => {
        done(code ?? signal ?? 'SIGKILL');
      });
    });
  }

  /** Kills the command with everything it started, at once. */
  kill(): void {
    const pid = this.#child?.pid;
    if (pid === undefined || this.#child?.exitCode !== null) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // It has just ended by itself.
    }
  }

  /** Events of the study as its log is now; each is remembered. */
  look(): SweepEvent[] {
    const { studyFolder } = this;
    const events = studyFolder === undefined ? [] : readEvents(join(studyFolder, 'events.jsonl'));
    for (const event of events) {
      this.events.set(JSON.stringify(event), event);
      if (event.event !== 'backup' || !isOfDatabase(event)) continue;
      this.acknowledged.set(textOf(event, 'snapshot'), Number(event['finishedTrials']));
    }
    return events;
  }

  /** Starts of the command that got as far as running trials. */
  get starts(): number {
    return [...this.events.values()].filter(({ event }) => event === 'sweep-started' || event === 'sweep-resumed')
      .length;
  }

  /** The study's trials as its database holds them now. */
  async trials(): Promise<readonly FrozenTrial[]> {
    const { studyFolder } = this;
    const database = studyFolder === undefined ? undefined : join(studyFolder, 'study.db');
    if (database === undefined || !existsSync(database)) return [];
    let study;
    try {
      study = await loadStudy({ storage: database, studyName: 'kills' });
    } catch (error) {
      // Killed between the making of the file and that of the study: nothing is in it.
      if (error instanceof Error && error.name === 'StudyNotFoundError') return [];
      throw error;
    }
    try {
      return await study.trials();
    } finally {
      await study.close();
    }
  }

  /** Finished trials that an undamaged, acknowledged backup holds: it took them in the order in which they finished. */
  backedUp(trials: readonly FrozenTrial[]): FrozenTrial[] {
    const counts = [...this.acknowledged].filter(([name]) => !this.damaged.has(name)).map(([, count]) => count);
    return trials
      .filter((trial) => trial.isFinished)
      .sort((a, b) =>
        (a.completedAt ?? '') < (b.completedAt ?? '')
          ? -1
          : a.completedAt === b.completedAt
            ? a.trialId - b.trialId
            : 1,
      )
      .slice(0, Math.max(0, ...counts));
  }

  loseOutputs(): void {
    rmSync(join(this.root, 'outputs'), { recursive: true, force: true });
  }

  #manifestFolder(): string | undefined {
    const targets = join(this.root, 'backups', '.resweep', 'targets');
    const name = existsSync(targets) ? readdirSync(targets).find((entry) => entry.endsWith('study.db')) : undefined;
    return name === undefined ? undefined : join(targets, name);
  }

  /** Whole saved states of the database, best first, without those already damaged. */
  copies(): string[] {
    const folder = this.#manifestFolder();
    if (folder === undefined) return [];
    const rank = (name: string): string =>
      name
        .split('.')
        .slice(1, 4)
        .join('.')
        .replace(/^(\d+)\.(\d+)/, '$2.$1');
    return readdirSync(folder)
      .filter((name) => /^[0-9a-f]{8}\.\d{10}\./.test(name) && !this.damaged.has(name))
      .sort((a, b) => (rank(a) < rank(b) ? 1 : -1));
  }

  /**
   * Damages the newest copy for good: a byte of its manifest, or of each chunk that only it has; and bytes of the plain copy.
   * With less it comes back: from a plain copy a reader mends chunks, and a writer takes in one that no manifest describes.
   */
  damageNewest(where: 'manifest' | 'pack'): { readonly name: string; readonly before: string | undefined } | undefined {
    const [name, before] = this.copies();
    const folder = this.#manifestFolder();
    if (name === undefined || folder === undefined) return undefined;
    const { pack, mirror } = this.#parts(folder, name);
    if (where === 'manifest' || pack === undefined) flip(join(folder, name));
    else flip(pack.path, pack.offsets);
    if (existsSync(mirror)) flip(mirror, [MAGIC_BYTE, ...everyChunkOf(mirror)]);
    this.damaged.add(name);
    return { name, before };
  }

  /** The plain copy; and the pack that this saved state alone has, with a byte of each of its chunks. */
  #parts(folder: string, name: string): { mirror: string; pack?: { path: string; offsets: number[] } } {
    const read = (file: string): Partial<Manifest> => {
      try {
        return JSON.parse(readFileSync(join(folder, file), 'utf8')) as Manifest;
      } catch {
        return {};
      }
    };
    const others = readdirSync(folder).filter((file) => file !== name);
    const shared = new Set(others.flatMap((file) => read(file).packs ?? []).map(({ sha256 }) => sha256));
    const { packs = [], members = [], path = '' } = read(name);
    const mirror = join(this.root, 'backups', path);
    const own = packs.find(({ sha256 }) => !shared.has(sha256))?.sha256;
    if (own === undefined) return { mirror };
    const places = members.flatMap(({ chunks = [] }) => chunks).filter(([, pack]) => own.startsWith(pack));
    if (places.length === 0) return { mirror };
    const offsets = places.map(([, , offset, length]) => offset + (length >> 1));
    return { mirror, pack: { path: join(this.root, 'backups', '.resweep', 'packs', `${own}.pack`), offsets } };
  }

  /** What was said about restores of the database, in order. */
  restores(): string[] {
    return [...this.events.values()]
      .filter((event) => event.event.startsWith('restore') && isOfDatabase(event))
      .map((event) => `${textOf(event, 'at')} ${textOf(event, 'message')}`);
  }

  /** Nothing that was safe is missing or different, and nothing was done twice. */
  check(trials: readonly FrozenTrial[]): void {
    const now = new Map(trials.map((trial) => [trial.number, essence(trial)]));
    for (const [number, what] of this.safe) {
      expect(now.get(number), `trial ${number}; restores: ${this.restores().join('\n')}`).toBe(what);
    }
    const done = trials.filter(isFinal).map((trial) => trial.logicalIndex);
    this.mostFinished = Math.max(this.mostFinished, done.length);
    expect(new Set(done).size, `trials done twice among ${done.join(' ')}`).toBe(done.length);
    expect(trials.map((trial) => trial.number)).toEqual(trials.map((_, index) => index));
  }

  remove(): void {
    this.kill();
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** Flips one bit of each byte named, or of the one in the middle of the file. */
function flip(path: string, offsets?: readonly number[]): void {
  const bytes = readFileSync(path);
  for (const at of offsets ?? [bytes.length >> 1]) bytes[at] = (bytes[at] ?? 0) ^ 0x10;
  writeFileSync(path, bytes);
}

function everyChunkOf(path: string): number[] {
  const { size } = statSync(path);
  return Array.from({ length: Math.ceil(size / CHUNK_BYTES) }, (_, index) =>
    Math.min(size - 1, index * CHUNK_BYTES + (CHUNK_BYTES >> 1)),
  );
}

describe(`a sweep killed ${KILLS} times with SIGKILL`, () => {
  let machine: Machine;
  beforeEach(() => {
    machine = new Machine();
  });
  afterEach(() => {
    machine.remove();
  });

  /** Resolves after so many events of the run that has just been started and a random pause, or when it ends. */
  async function randomMoment(ended: Promise<unknown>, after: { event: string; times: number }): Promise<void> {
    const run = { isOver: false };
    void ended.then(() => (run.isOver = true));
    // A log that was restored tells of earlier runs: only what follows this run's own start counts.
    const startsBefore = machine.starts;
    let seenBefore: number | undefined;
    const deadline = performance.now() + 30_000;
    while (after.times > 0 && !run.isOver && performance.now() < deadline) {
      const seen = machine.look().filter((event) => event.event === after.event).length;
      if (seenBefore === undefined && machine.starts > startsBefore) seenBefore = seen;
      if (seenBefore !== undefined && seen >= seenBefore + after.times) break;
      await pause(5);
    }
    await Promise.race([ended, pause(Math.random() * (after.times === 0 ? 900 : 150))]);
  }

  /** The last run, to a total that is in reach. */
  async function finish(): Promise<readonly FrozenTrial[]> {
    const total = machine.mostFinished + 20;
    expect(await machine.start(total), machine.said.slice(-3000)).toBe(0);
    const trials = await machine.trials();
    machine.look();
    machine.check(trials);
    expect(trials.filter(isFinal)).toHaveLength(total);
    expect(trials.every((trial) => trial.isFinished)).toBe(true);
    return trials;
  }

  it('outputs/ lost after half of them: the total is reached, nothing saved is lost, nothing done twice', async () => {
    let effective = 0;
    let lost = 0;
    let restores = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const ended = machine.start(OUT_OF_REACH);
      // One in four dies before a trial ends: while it restores, opens or makes its first copy.
      const times = kill % 4 === 3 ? 0 : 1 + Math.floor(Math.random() * 5);
      await randomMoment(ended, { event: 'trial-ended', times });
      machine.kill();
      expect(await ended, machine.said.slice(-3000)).toBe('SIGKILL');
      machine.look();
      const trials = await machine.trials();
      // A kill before the restore was through leaves nothing local: what was safe is so at the destination.
      if (trials.length > 0) {
        machine.check(trials);
        const loses = kill % 2 === 1;
        const finished = trials.filter((trial) => trial.isFinished);
        const safe = loses ? machine.backedUp(trials) : finished;
        machine.safe = new Map(safe.map((trial) => [trial.number, essence(trial)]));
        if (trials.some(isFinal)) effective++;
        lost += finished.length - safe.length;
      }
      if (kill % 2 === 1) {
        machine.loseOutputs();
        if (machine.acknowledged.size > 0) restores++;
      }
    }
    const trials = await finish();
    console.log(
      `${trials.length} trials, ${trials.filter((trial) => trial.isInterrupted).length} interrupted, ${machine.acknowledged.size} copies, ` +
        `${restores} restores, ${lost} trials finished after the last copy and run again`,
    );
    expect(effective).toBeGreaterThan(KILLS / 2);
    expect(restores).toBeGreaterThan(KILLS / 3);
  });

  it(
    'and a byte of the newest copy flipped each time: it ends too, on the copy before, and says so',
    { timeout: 20 * 60_000 },
    async () => {
      let fallbacks = 0;
      for (let kill = 0; kill < KILLS; kill++) {
        const ended = machine.start(OUT_OF_REACH);
        await randomMoment(ended, { event: 'backup', times: 3 + Math.floor(Math.random() * 2) });
        machine.kill();
        expect(await ended, machine.said.slice(-3000)).toBe('SIGKILL');
        machine.look();
        const trials = await machine.trials();
        expect(trials.length).toBeGreaterThan(0);
        machine.check(trials);
        const hit = machine.damageNewest(kill % 2 === 0 ? 'pack' : 'manifest');
        expect(hit).toBeDefined();
        machine.safe = new Map(machine.backedUp(trials).map((trial) => [trial.number, essence(trial)]));
        machine.loseOutputs();
        if (hit?.before !== undefined) fallbacks++;
      }
      await finish();
      const messages = [...machine.events.values()];
      const passedOver = new Set(
        messages.filter(({ event }) => event === 'restore-fallback').map((event) => textOf(event, 'snapshot')),
      );
      const used = messages.filter((event) => event.event === 'restore' && isOfDatabase(event));
      console.log(
        `${machine.damaged.size} copies damaged, ${fallbacks} with one before; ${used.length} restores; ${passedOver.size} passed over by name`,
      );
      expect(fallbacks).toBeGreaterThan(KILLS / 2);
      // Each damaged copy is named when it is passed over, and none is ever used.
      expect([...machine.damaged].filter((name) => !passedOver.has(name))).toEqual([]);
      for (const name of machine.damaged) expect(used.map((event) => textOf(event, 'snapshot'))).not.toContain(name);
      expect(machine.said).toMatch(/cannot be used \(.+\); trying another copy/);
    },
  );
});
