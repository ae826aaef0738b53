import { afterEach, beforeEach, expect, it } from 'vitest';

import { DestinationError, type CallOptions } from '../../src/backup/destinations/destination.js';
import { FolderDestination } from '../../src/backup/destinations/folder/folder-destination.js';
import { verifyBackups } from '../../src/backup/verify/verify.js';
import { addTrials, makeStudy, packsOf, TestProject } from '../support/backup-project.js';

/** A folder of which some packs lie in an archive class, as S3 refuses to read them. */
class ArchivingFolder extends FolderDestination {
  readonly frozen = new Set<string>();

  override async list(prefix: string, options?: CallOptions) {
    const { objects, folders } = await super.list(prefix, options);
    return {
      folders,
      objects: objects.map((object) => (this.#isFrozen(object.key) ? { ...object, storageClass: 'GLACIER' } : object)),
    };
  }

  override get(key: string, options?: CallOptions) {
    if (!this.#isFrozen(key)) return super.get(key, options);
    return Promise.reject(
      new DestinationError('archived', `${key} has to be thawed: aws s3api restore-object --key ${key}`),
    );
  }

  #isFrozen(key: string): boolean {
    return [...this.frozen].some((pack) => key.includes(pack));
  }
}

let project: TestProject;
beforeEach(() => {
  project = new TestProject();
});
afterEach(async () => {
  await project.close();
});

function archive(): ArchivingFolder {
  return new ArchivingFolder({ name: 'store', path: project.place('store'), projectRoot: project.root });
}

const nameOf = (file: string): string => file.split('/').at(-1) ?? '';

it('frozen packs are named one by one with how to thaw them; all else is checked and restored', async () => {
  const [old, young] = [project.studyDb(), project.studyDb('cloud')];
  await makeStudy(old, { finished: 1_000 });
  await project.drive().backup(old);
  await addTrials(old, 1_000);
  await project.drive().backup(old);
  const frozen = packsOf(project.place('store')).map(nameOf);
  expect(frozen).toHaveLength(2);
  await makeStudy(young, { finished: 3 });
  await project.drive().backup(young);

  const destination = archive();
  for (const pack of frozen) destination.frozen.add(pack);
  const drive = project.drive([destination]);
  const report = await verifyBackups(drive, { deep: true });
  expect(report).toMatchObject({ ok: true, damages: [], unreachable: [], checkedSnapshots: 3 });
  expect(new Set(report.frozen.map(({ problem }) => problem.split(' ')[0]))).toEqual(
    new Set(frozen.map((pack) => `.resweep/packs/${pack}`)),
  );
  expect(report.frozen.every(({ problem }) => problem.includes('aws s3api restore-object'))).toBe(true);

  project.loseOutputs();
  const result = await project.drive([archive()]).restore(young);
  expect(result).toMatchObject({ status: 'restored', finishedTrials: 3 });
  const refused = await drive.restore(old);
  // The plain copy of the newest state is whole, and vouched for.
  expect(refused).toMatchObject({ status: 'restored', snapshot: 'mirror', finishedTrials: 2_000 });
});

it('a restore of which all is frozen says how to thaw it, not that nobody answered', async () => {
  const db = project.studyDb();
  await makeStudy(db, { finished: 3 });
  await project.drive().backup(db);
  const destination = archive();
  for (const pack of packsOf(project.place('store'))) destination.frozen.add(nameOf(pack));
  const to = project.place('elsewhere');
  const result = await project.drive([destination]).restore(db, { to, at: 'generation:1' });
  expect(result.status).toBe('frozen');
  expect(result.error).toMatch(/has to be thawed first: .*aws s3api restore-object/);
  expect(result.fellBack[0]).toMatchObject({ frozen: true, unreachable: false });
});
