import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { z } from 'zod';

import { writePrivateFile } from '../../../core/private-file.js';

/** A session lives for a week; one that may end under way is not begun with. */
const USABLE_MS = 6 * 86_400_000;

const recordSchema = z.object({
  uri: z.string().min(1),
  sha256: z.string(),
  bytes: z.number().int(),
  fileId: z.string().min(1),
  createdAt: z.number(),
});

/** An upload that was begun: where it goes on, and what it was given. `uri` is a secret: whoever has it can write the file. */
export interface UploadSession {
  readonly uri: string;
  readonly fileId: string;
}

/** What a session is for: the same content to the same place. */
export interface SessionTarget {
  /** The server, and the file that is replaced or the folder and name of a new one. */
  readonly place: readonly string[];
  readonly sha256: string;
  readonly bytes: number;
}

/** Uploads under way, each in a file that only this user can read, so that a process that was killed is gone on with by the next. */
export class UploadSessions {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  load(target: SessionTarget): UploadSession | undefined {
    try {
      const record = recordSchema.parse(JSON.parse(readFileSync(this.#file(target), 'utf8')));
      const { sha256, bytes, createdAt, uri, fileId } = record;
      if (sha256 === target.sha256 && bytes === target.bytes && Date.now() - createdAt < USABLE_MS)
        return { uri, fileId };
    } catch {
      // None, or half of one: another upload is begun.
    }
    return undefined;
  }

  /** Where it cannot be kept, the upload goes on all the same; a killed process then begins again. */
  save(target: SessionTarget, session: UploadSession): void {
    const { sha256, bytes } = target;
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      this.#removeOld();
      writePrivateFile(this.#file(target), JSON.stringify({ ...session, sha256, bytes, createdAt: Date.now() }));
    } catch {
      // A read-only or full home folder.
    }
  }

  remove(target: SessionTarget): void {
    try {
      rmSync(this.#file(target), { force: true });
    } catch {
      // As above.
    }
  }

  #file(target: SessionTarget): string {
    const hash = createHash('sha256')
      .update(JSON.stringify([...target.place, target.sha256]))
      .digest('hex');
    return join(this.#folder, `${hash.slice(0, 32)}.json`);
  }

  #removeOld(): void {
    for (const name of readdirSync(this.#folder)) {
      const file = join(this.#folder, name);
      if (Date.now() - statSync(file).mtimeMs > USABLE_MS) rmSync(file, { force: true });
    }
  }
}
