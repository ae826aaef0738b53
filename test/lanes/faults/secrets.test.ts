import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inflateRawSync } from 'node:zlib';

import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { CliProject } from '../../support/cli-project.js';
import { filesBelow, packsOf } from '../../support/backup-project.js';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

/** Planted in the environment, in a URL, and in a file; each may be used, and none may be seen. */
const SECRETS = {
  PLANTED_PASSPHRASE: 'planted-passphrase-9f3c',
  PLANTED_TOKEN: 'ghp_plantedtoken7d21',
  AWS_SECRET_ACCESS_KEY: 'plantedAwsSecret44e1',
  PLANTED_URL: 'http://user:planted-url-password-a5b0@127.0.0.1:9/x',
} as const;
const VALUES = ['planted-passphrase-9f3c', 'ghp_plantedtoken7d21', 'plantedAwsSecret44e1', 'planted-url-password-a5b0'];

describe('secrets that were planted', () => {
  let project: CliProject;
  const said: string[] = [];
  const run = (...args: string[]): number | null => {
    const { code, stdout, stderr } = project.run(...args);
    said.push(stdout, stderr);
    return code;
  };
  beforeAll(() => {
    Object.assign(process.env, SECRETS);
    project = new CliProject({
      config:
        'backup: { destinations: [{ name: disk, type: folder, path: backups }, { name: sealed, type: folder, path: sealed, encrypt: { passphrase_env: PLANTED_PASSPHRASE } }] }',
    });
    expect(run('run', project.config, '--trials', '4', '--verbose')).toBe(0);
    run('status', project.config, '--json');
    run('backup', 'now', project.config, '--verbose');
    run('backup', 'list', project.config, '--json');
    run('backup', 'verify', project.config, '--deep', '--json');
    run('backup', 'drill', project.config, '--report', 'drill.html', '--no-train');
    run('backup', 'export', 'study.zip', project.config);
    run('fsck', project.config, '--json');
    run('clean', project.config, '--dry-run', '--json');
    // Errors speak of what they were given: a storage that does not answer, a wrong passphrase.
    run('run', project.config, '--storage', SECRETS.PLANTED_URL);
    run('status', SECRETS.PLANTED_URL);
    process.env['PLANTED_PASSPHRASE'] = `${SECRETS.PLANTED_PASSPHRASE}-wrong`;
    run('backup', 'list', project.config);
    run('restore', project.config, '--from', 'sealed', '--to', 'look');
  });
  afterAll(() => {
    for (const name of Object.keys(SECRETS)) Reflect.deleteProperty(process.env, name);
    project.remove();
  });

  it('are in no line that was printed, no log, event, manifest, page, archive or database', () => {
    for (const text of said) for (const secret of VALUES) expect(text).not.toContain(secret);
    let looked = 0;
    for (const file of filesBelow(project.folder)) {
      const bytes = readFileSync(join(project.folder, file));
      for (const secret of VALUES) expect(bytes.includes(secret), file).toBe(false);
      looked++;
    }
    expect(looked).toBeGreaterThan(20);
  });

  it('are in no row of the database, and in no chunk of a backup', () => {
    const studyDb =
      filesBelow(project.folder).find((file) => file.startsWith('outputs') && file.endsWith('study.db')) ?? '';
    const db = new Database(join(project.folder, studyDb), { readonly: true });
    for (const table of db.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").pluck().all() as string[]) {
      const text = JSON.stringify(db.prepare(`SELECT * FROM ${table}`).all());
      for (const secret of VALUES) expect(text, table).not.toContain(secret);
    }
    db.close();
    const packs = packsOf(join(project.folder, 'backups'));
    expect(packs.length).toBeGreaterThan(0);
    for (const pack of packs)
      for (const chunk of chunksOf(pack)) for (const secret of VALUES) expect(chunk.includes(secret)).toBe(false);
  });

  it('would be found: the search is not blind', () => {
    const planted = join(project.folder, 'outputs', 'planted.txt');
    writeFileSync(planted, `x ${SECRETS.PLANTED_TOKEN} y`);
    expect(
      filesBelow(project.folder).some((file) =>
        readFileSync(join(project.folder, file)).includes(SECRETS.PLANTED_TOKEN),
      ),
    ).toBe(true);
  });
});

/** Every stretch of a pack that unpacks: chunks begin with one byte that says how they are stored. */
function* chunksOf(pack: string): Generator<Buffer> {
  const bytes = readFileSync(pack);
  for (let at = 0; at < bytes.length; at++) {
    if (bytes[at] !== 1) continue;
    try {
      yield inflateRawSync(bytes.subarray(at + 1), { maxOutputLength: 1 << 20 });
    } catch {
      // No chunk begins here.
    }
  }
}
