import { closeSync, existsSync, fstatSync, mkdirSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

import { parseJson, stringifyJson, type JsonValue } from '../../core/json.js';
import { redactUrls } from '../../core/storage-url.js';

/** One line of `events.jsonl`: what happened when. */
export interface SweepEvent {
  readonly event: string;
  readonly [key: string]: JsonValue;
}

/**
 * The append-only `events.jsonl` of a study. Each event is one write of one whole line, so that several processes can append at
 * once; a line that a kill left half-written is closed by the next opening and skipped by readers.
 */
export class EventsLog {
  readonly path: string;
  #file: number | undefined;

  constructor(path: string) {
    this.path = path;
  }

  /** Appends one event with the time. Never throws for a full disk: an event must not fail a trial. Returns whether it was written. */
  append(event: SweepEvent): boolean {
    try {
      this.#file ??= openAppending(this.path);
      writeSync(this.#file, `${redactUrls(stringifyJson({ at: new Date().toISOString(), ...event }))}\n`);
      return true;
    } catch {
      return false;
    }
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }
}

function openAppending(path: string): number {
  mkdirSync(dirname(path), { recursive: true });
  const file = openSync(path, 'a+');
  const { size } = fstatSync(file);
  if (size > 0) {
    const last = Buffer.alloc(1);
    readSync(file, last, 0, 1, size - 1);
    if (last.toString() !== '\n') writeSync(file, '\n');
  }
  return file;
}

/** Whether another process has the study at a destination: from then on the one that says so writes no more backups there. */
export function isLostOwnership({ event, outcome }: SweepEvent): boolean {
  return event === 'ownership' && outcome === 'failed';
}

/** All whole events of a file; lines that are no JSON are left out. */
export function readEvents(path: string): SweepEvent[] {
  if (!existsSync(path)) return [];
  const events: SweepEvent[] = [];
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    if (line === '') continue;
    try {
      const event = parseJson(line);
      if (event !== null && typeof event === 'object' && 'event' in event) events.push(event as SweepEvent);
    } catch {
      // A line cut off by a kill.
    }
  }
  return events;
}
