import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { sha256Of } from '../../../src/backup/files/file-digest.js';
import { DriveBench } from '../../support/drive-destination.js';

const run = promisify(execFile);
const python = process.env['RESWEEP_PYTHON'];

interface Seen {
  readonly parts: number;
  readonly sha256: string;
  readonly stated: string;
}

interface Side {
  readonly seen: Readonly<Record<string, Seen>>;
  readonly upload: Seen & { readonly md5: boolean };
  readonly again: number;
  readonly small: string;
  readonly replaced: boolean;
  readonly pages: readonly string[];
  readonly left: readonly string[];
  readonly badQuery: number;
  readonly badFields: number;
  readonly about: string;
  readonly oddParts: number;
}

/** The tests' Drive server is held to what Google's own client, which knows nothing of it, expects of Drive. */
describe.skipIf(python === undefined)("the tests' Drive server and Google's Python client", () => {
  let bench: DriveBench;
  beforeAll(async () => {
    bench = await DriveBench.start();
  });
  afterAll(async () => {
    await bench.close();
  });

  it('understand each other, and resweep reads what the client wrote and the other way round', async () => {
    const login = bench.server.login();
    const drive = bench.destination({}, login);
    const written = { 'small.bin': randomBytes(1000), 'large.bin': randomBytes(6_000_001) };
    for (const [key, data] of Object.entries(written)) await drive.put(key, data, { sha256: sha256Of(data) });
    const script = new URL('drive_side.py', import.meta.url).pathname;
    const { stdout } = await run(python ?? '', [script, bench.credentials(login), bench.server.url, 'resweep']);
    const side = JSON.parse(stdout) as Side;
    for (const [key, data] of Object.entries(written)) {
      expect(side.seen[key]).toMatchObject({ sha256: sha256Of(data), stated: sha256Of(data) });
    }
    expect(side.seen['large.bin']?.parts).toBe(Math.ceil(6_000_001 / 262_144));
    expect(side.upload).toMatchObject({ parts: 5, md5: true, stated: side.upload.sha256 });
    expect(await bench.destination({}, login).checksum('from-python')).toEqual({
      bytes: 1_200_000,
      sha256: side.upload.sha256,
    });
    expect(side).toMatchObject({
      again: 409,
      small: 'small',
      replaced: true,
      pages: ['from-python', 'large.bin', 'small', 'small.bin'],
      left: ['from-python', 'large.bin', 'small.bin'],
      badQuery: 400,
      badFields: 400,
      about: 'person@example.com',
      oddParts: 400,
    });
  });
});
