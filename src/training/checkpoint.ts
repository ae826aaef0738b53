import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { writeFileAtomically } from '../core/atomic-file.js';
import { messageOf } from '../core/errors.js';
import { parseJson, stringifyJson, type JsonValue } from '../core/json.js';

/**
 * On disk one file, `<checkpointDir>/checkpoint-<steps>.bin`: the length of a manifest (4 bytes, little-endian), the manifest as
 * JSON (size and SHA-256 of what follows, lengths of the arrays, the state), all arrays behind each other (little-endian floats).
 * It is written aside, synced, and renamed: what has the name is whole, unless the disk damaged it, which the checksum shows. One
 * file needs two waits for the disk, where a folder with a manifest of its own needs four.
 */
export interface Checkpoint {
  readonly state: JsonValue;
  readonly arrays: readonly Float32Array[];
}

export interface WrittenCheckpoint {
  readonly path: string;
  readonly bytes: number;
}

interface Manifest {
  readonly format: number;
  readonly bytes: number;
  readonly sha256: string;
  readonly lengths: readonly number[];
  readonly state: JsonValue;
}

const FORMAT = 1;
const COMPLETE = /^checkpoint-(\d+)\.bin$/;
const UNFINISHED = /^checkpoint-\d+\.bin\.\d+\.tmp$/;

/** Writes a checkpoint and, once it is complete, removes those before it. `position` must grow from one to the next. */
export function writeCheckpoint(folder: string, position: number, { state, arrays }: Checkpoint): WrittenCheckpoint {
  const name = `checkpoint-${String(position).padStart(9, '0')}.bin`;
  const path = join(folder, name);
  const parts = arrays.map((array) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  const manifest: Manifest = {
    format: FORMAT,
    bytes: parts.reduce((sum, part) => sum + part.length, 0),
    sha256: hash.digest('hex'),
    lengths: arrays.map((array) => array.length),
    state,
  };
  const text = Buffer.from(`${stringifyJson({ ...manifest })}\n`);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  const content = Buffer.concat([length, text, ...parts]);
  writeFileAtomically(path, content);
  for (const other of readdirSync(folder)) {
    if (other !== name && (COMPLETE.test(other) || UNFINISHED.test(other)))
      rmSync(join(folder, other), { force: true });
  }
  return { path, bytes: content.length };
}

/** The newest checkpoint that is whole. One that is damaged is passed over, with a line to `complain`, for the one before it. */
export function readCheckpoint(folder: string, complain: (line: string) => void): Checkpoint | undefined {
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => COMPLETE.test(name)) : [];
  names.sort((a, b) => Number(COMPLETE.exec(b)?.[1]) - Number(COMPLETE.exec(a)?.[1]));
  for (const name of names) {
    try {
      return readOne(join(folder, name));
    } catch (error) {
      complain(`${name} is not used: ${messageOf(error)}`);
    }
  }
  return undefined;
}

/** Reads one checkpoint whole. @throws Error that says what is wrong with it */
export function checkCheckpoint(path: string): void {
  readOne(path);
}

function readOne(path: string): Checkpoint {
  const file = readFileSync(path);
  const start = file.length < 4 ? Infinity : 4 + file.readUInt32LE();
  if (start > file.length) throw new Error(`it is cut off after ${file.length} bytes.`);
  const manifest = parseJson(file.toString('utf8', 4, start)) as unknown as Manifest;
  if (manifest.format !== FORMAT) throw new Error(`its format is ${manifest.format}, not ${FORMAT}.`);
  const content = file.subarray(start);
  if (content.length !== manifest.bytes) throw new Error(`it holds ${content.length} of ${manifest.bytes} bytes.`);
  if (createHash('sha256').update(content).digest('hex') !== manifest.sha256)
    throw new Error('it does not match its checksum.');
  let at = 0;
  const arrays = manifest.lengths.map((count) => {
    const array = new Float32Array(count);
    new Uint8Array(array.buffer).set(content.subarray(at, at + array.byteLength));
    at += array.byteLength;
    return array;
  });
  return { state: manifest.state, arrays };
}
