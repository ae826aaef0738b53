import { appendFile, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

import { writeFileAtomicallyAsync } from '../core/atomic-file.js';
import * as messages from './tensorboard-messages.js';
import { tfRecord } from './tf-record.js';
import { curveName, type TrackedStudy, type TrackedTrial, type Tracker } from './tracker.js';

const EVENTS_FILE = '.tfevents.';

/** A trial whose file is being added to. */
interface OpenRun {
  readonly path: string;
  reports: number;
}

/**
 * Event files of TensorBoard: a folder per study, in it one per trial, which holds one file. Reports are added while a trial runs. A
 * file that a killed process left is written anew, so no number is there twice.
 */
export class TensorBoardTracker implements Tracker {
  readonly name = 'tensorboard';
  readonly #base: string;
  readonly #open = new Map<number, OpenRun>();
  #folder: string;
  #study: TrackedStudy | undefined;

  constructor(folder: string) {
    this.#base = folder;
    this.#folder = folder;
  }

  get location(): string {
    return this.#folder;
  }

  async begin(study: TrackedStudy): Promise<ReadonlySet<number>> {
    this.#study = study;
    this.#folder = join(this.#base, `${study.name.replaceAll(/[^\w.-]+/g, '-')}-${study.study8}`);
    await removeEvents(this.#folder);
    await writeEvents(join(this.#folder, fileName(study.startedAt)), [
      messages.fileVersionEvent(study.startedAt),
      messages.experimentEvent(study),
    ]);
    const whole = new Set<number>();
    for (const entry of await readdir(this.#folder, { withFileTypes: true })) {
      const number = /^trial-(\d+)$/.exec(entry.name)?.[1];
      if (!entry.isDirectory() || number === undefined) continue;
      if (await isWhole(join(this.#folder, entry.name))) whole.add(Number(number));
    }
    return whole;
  }

  async write(trial: TrackedTrial): Promise<void> {
    const study = this.#study;
    if (study === undefined) throw new Error('write() before begin().');
    const run = this.#open.get(trial.number) ?? (await this.#create(trial, study));
    const events: Uint8Array[] = [];
    for (const { step, value, at } of trial.reports.slice(run.reports)) {
      events.push(messages.scalarEvent(curveName(study), value, step, at));
    }
    if (trial.state !== 'running') events.push(...endEvents(trial));
    if (events.length === 0) return;
    // Were an append cut off in the middle, the next write would follow half a record: so the file is made anew then.
    this.#open.delete(trial.number);
    await appendFile(run.path, Buffer.concat(events.map(tfRecord)));
    if (trial.state !== 'running') return;
    run.reports = trial.reports.length;
    this.#open.set(trial.number, run);
  }

  async end(): Promise<void> {
    // Every file is complete as it stands.
  }

  async #create(trial: TrackedTrial, study: TrackedStudy): Promise<OpenRun> {
    const folder = join(this.#folder, `trial-${String(trial.number).padStart(4, '0')}`);
    await removeEvents(folder);
    const path = join(folder, fileName(trial.startedAt));
    await writeEvents(path, [messages.fileVersionEvent(trial.startedAt), messages.sessionStartEvent(trial, study)]);
    const run = { path, reports: 0 };
    this.#open.set(trial.number, run);
    return run;
  }
}

function* endEvents(trial: TrackedTrial): Generator<Uint8Array> {
  const at = trial.completedAt ?? trial.startedAt;
  const step = trial.reports.at(-1)?.step ?? 0;
  for (const [name, value] of Object.entries({ ...trial.numbers, ...trial.values })) {
    yield messages.scalarEvent(name, value, step, at);
  }
  yield messages.sessionEndEvent(trial);
}

/** Named as TensorBoard expects it, and the same at every try. */
function fileName(at: number): string {
  return `events.out.tfevents.${Math.floor(at / 1000)}.${hostname()}.resweep`;
}

/** Makes the folder, and empties it of event files. */
async function removeEvents(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const name of await readdir(folder)) {
    if (name.includes(EVENTS_FILE)) await rm(join(folder, name));
  }
}

async function writeEvents(path: string, events: readonly Uint8Array[]): Promise<void> {
  await writeFileAtomicallyAsync(path, Buffer.concat(events.map(tfRecord)));
}

async function isWhole(folder: string): Promise<boolean> {
  const names = (await readdir(folder)).filter((name) => name.includes(EVENTS_FILE));
  const [name] = names;
  return names.length === 1 && name !== undefined && (await readFile(join(folder, name))).includes(messages.END_TAG);
}
