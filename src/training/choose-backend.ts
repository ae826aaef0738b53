import { readFileSync } from 'node:fs';

import { writeJsonAtomically } from '../core/atomic-file.js';
import { parseJson, type JsonValue } from '../core/json.js';
import { availableBackends, BACKENDS, useBackend, type BackendName } from './backends.js';
import type { Tensorflow } from './tensorflow.js';
import type { BackendChoice } from './trainer.js';

export interface ChosenBackend {
  readonly name: BackendName;
  /** Why, for the trial's record. */
  readonly reason: string;
}

export interface BackendQuestion {
  readonly choice: BackendChoice;
  /** Size of the model in words: models of one key are taken to be alike. */
  readonly key: string;
  /** Backend of the checkpoint that is gone on from: another would not give the same numbers. */
  readonly before?: string | undefined;
  /** File that keeps the choices; absent: this process's memory. */
  readonly file?: string | undefined;
  /** Takes training steps of such a model on the current backend; gives milliseconds per step. May give up where `best` is out of reach. */
  readonly time: (best: number) => number;
}

const memory = new Map<string, ChosenBackend>();
const told = new Set<string>();

/**
 * Decides on which backend a model is trained, and makes it the current one. `auto` times a few steps on each that works, once
 * per key. `log` gets a line for a backend that is missing, once per process.
 * @throws UsageError where the backend asked for does not work.
 */
export async function chooseBackend(
  tensorflow: Tensorflow,
  question: BackendQuestion,
  log: (line: string) => void,
): Promise<ChosenBackend> {
  const chosen = await decide(tensorflow, question, log);
  await useBackend(tensorflow, chosen.name);
  return chosen;
}

async function decide(
  tensorflow: Tensorflow,
  { choice, key, before, file, time }: BackendQuestion,
  log: (line: string) => void,
): Promise<ChosenBackend> {
  const { names, missing } = await availableBackends(choice);
  for (const line of missing) {
    if (!told.has(line)) log(`The ${line}; ${names.join(' and ')} ${names.length > 1 ? 'are' : 'is'} used instead.`);
    told.add(line);
  }
  const [first] = names;
  if (first !== undefined && choice !== 'auto') return { name: first, reason: 'as configured' };
  const earlier = names.find((name) => name === before);
  if (earlier !== undefined) return { name: earlier, reason: 'as before the interruption' };
  const known = memory.get(key) ?? recall(file, key);
  if (known !== undefined && names.includes(known.name)) {
    memory.set(key, known);
    return known;
  }
  const chosen = await measure(tensorflow, names, time);
  memory.set(key, chosen);
  if (file !== undefined) remember(file, key, chosen);
  return chosen;
}

async function measure(
  tensorflow: Tensorflow,
  names: readonly BackendName[],
  time: (best: number) => number,
): Promise<ChosenBackend> {
  const times: { name: BackendName; milliseconds: number }[] = [];
  let best = Infinity;
  for (const name of names) {
    await useBackend(tensorflow, name);
    const milliseconds = time(best);
    times.push({ name, milliseconds });
    best = Math.min(best, milliseconds);
  }
  times.sort((a, b) => a.milliseconds - b.milliseconds);
  const shown = times
    .map(({ name, milliseconds: ms }) => `${name} ${Number.isFinite(ms) ? `${ms.toPrecision(2)} ms` : 'far slower'}`)
    .join(', ');
  return { name: times[0]?.name ?? 'cpu', reason: `fastest per step: ${shown}` };
}

function recall(file: string | undefined, key: string): ChosenBackend | undefined {
  const entry = file === undefined ? undefined : readChoices(file)[key];
  if (entry === null || typeof entry !== 'object' || !('name' in entry) || !('reason' in entry)) return undefined;
  const { name: saved, reason } = entry;
  const name = BACKENDS.find((backend) => backend === saved);
  return name === undefined || typeof reason !== 'string' ? undefined : { name, reason };
}

/**
 * Puts choices that the study's trials were trained by back into the file where it lacks them (a machine to which the study alone was
 * restored), so that later trials of the same size choose as earlier ones did.
 */
export function recoverChoices(file: string, choices: ReadonlyMap<string, { name: string; reason: string }>): void {
  const kept = readChoices(file);
  const lost = [...choices].filter(([key]) => !Object.hasOwn(kept, key));
  if (lost.length === 0) return;
  const found = Object.fromEntries(lost.map(([key, { name, reason }]) => [key, { name, reason }]));
  writeJsonAtomically(file, { ...kept, ...found });
}

/** Two workers that measure at once may overwrite each other's entry: that one is then measured again. */
function remember(file: string, key: string, { name, reason }: ChosenBackend): void {
  writeJsonAtomically(file, { ...readChoices(file), [key]: { name, reason } });
}

function readChoices(file: string): Readonly<Record<string, JsonValue>> {
  try {
    const content = parseJson(readFileSync(file, 'utf8'));
    return content !== null && typeof content === 'object' && !Array.isArray(content)
      ? (content as Readonly<Record<string, JsonValue>>)
      : {};
  } catch {
    return {}; // Not there yet, or damaged: it only holds what can be measured again.
  }
}
