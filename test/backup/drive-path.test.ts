import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { DrivePathError, isDrivePath, targetOf } from '../../src/backup/files/drive-path.js';
import { unsafePathReason } from '../../src/backup/destinations/object-key.js';
import { TestProject } from '../support/backup-project.js';

let base: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'resweep-paths-'));
});
afterEach(() => {
  rmSync(base, { recursive: true, force: true });
});

describe('isDrivePath', () => {
  it.each([
    ['/content/drive', true],
    ['/content/drive/', true],
    ['/content/drive/MyDrive/outputs/study.db', true],
    ['/content/drive/Shareddrives/team/x', true],
    ['/content/gdrive/MyDrive/x', true],
    ['/content/x/../drive/MyDrive/x', true],
    ['/Users/me/Library/CloudStorage/GoogleDrive-me@example.com/My Drive/x', true],
    ['/content/drive2/x', false],
    ['/content/drives', false],
    ['/content/outputs/hpo/study.db', false],
    ['/home/me/content/drive/x', false],
  ])('%s → %s', (path, expected) => {
    expect(isDrivePath(path)).toBe(expected);
  });

  it('resolves links of the longest existing ancestor, relative paths and dangling links', () => {
    const mount = join(base, 'mount');
    mkdirSync(join(mount, 'MyDrive'), { recursive: true });
    symlinkSync(join(mount, 'MyDrive'), join(base, 'link'));
    symlinkSync(join(mount, 'not-yet'), join(base, 'dangling'));
    symlinkSync('link', join(base, 'twice'));
    for (const name of ['link', 'link/a/b.db', 'twice/x', 'dangling', 'dangling/deeper']) {
      expect(isDrivePath(join(base, name), [mount])).toBe(true);
    }
    expect(isDrivePath(relative(process.cwd(), join(mount, 'x')), [mount])).toBe(true);
    expect(isDrivePath(join(base, 'plain', 'MyDrive'), [mount])).toBe(false);
    expect(isDrivePath(join(mount, 'x'), [join(base, 'link-to-mount')])).toBe(false);
    symlinkSync(mount, join(base, 'link-to-mount'));
    expect(isDrivePath(join(mount, 'x'), [join(base, 'link-to-mount')])).toBe(true);
  });

  it('survives a circle of links', () => {
    symlinkSync(join(base, 'b'), join(base, 'a'));
    symlinkSync(join(base, 'a'), join(base, 'b'));
    expect(isDrivePath(join(base, 'a', 'x'))).toBe(false);
  });
});

describe('targets', () => {
  it('are relative to the project; what lies outside, on Drive or in a destination is refused', () => {
    const place = { projectRoot: base, mounts: [join(base, 'mnt')], destinationFolders: [join(base, 'backups')] };
    expect(targetOf(join(base, 'outputs', 'a', '..', 'study.db'), place)).toBe('outputs/study.db');
    for (const path of [
      base,
      join(base, '..', 'x'),
      join(base, 'mnt', 'x'),
      join(base, 'backups', 'x'),
      '/content/drive/x',
    ]) {
      expect(() => targetOf(path, place)).toThrow(DrivePathError);
    }
    symlinkSync('/content/drive/MyDrive', join(base, 'linked'));
    expect(() => targetOf(join(base, 'linked', 'study.db'), place)).toThrow('mounted Drive');
  });

  it('the drive refuses them in every spelling, without a throw from backup', async () => {
    const project = new TestProject();
    const mount = project.place('mount');
    mkdirSync(join(mount, 'MyDrive'), { recursive: true });
    symlinkSync(join(mount, 'MyDrive'), project.path('data'));
    const drive = project.drive(undefined, { mounts: [mount] });
    const spellings = [
      join(mount, 'MyDrive', 'study.db'),
      `${mount}/MyDrive/../MyDrive/study.db`,
      `${mount}/`,
      project.path('data', 'study.db'),
    ];
    for (const path of [...spellings, relative(process.cwd(), join(mount, 'x'))]) {
      expect(await drive.backup(path)).toMatchObject({ ok: false, verified: 'no' });
      expect(() => drive.drivePathFor(path)).toThrow(DrivePathError);
    }
    await project.close();
  });

  it.each(['/abs', '../up', 'a/../b', 'a//b', './a', 'C:/x', 'a\\b', 'a\0b', ''])('unsafe key %j', (key) => {
    expect(unsafePathReason(key)).toBeDefined();
  });
});
