/* Program of the fault tests: one backup, restore or stream of trials, in a process that may be killed at any call. */
import { createDrive } from '../../../src/backup/drive/drive.js';
import { BackupCoordinator } from '../../../src/backup/sweep/backup-coordinator.js';
import { FolderDestination } from '../../../src/backup/destinations/folder/folder-destination.js';
import type { SnapshotSource } from '../../../src/core/snapshot-source.js';
import { inspectStudyFile, takeSnapshot } from '../../../src/storage/rdb/sqlite-file-copy.js';
import { closeSync, openSync, readSync } from 'node:fs';

const [action = '', root = '', store = '', path = ''] = process.argv.slice(2);

const snapshotSource: SnapshotSource = {
  isDatabase: (file) => {
    const head = Buffer.alloc(15);
    const handle = openSync(file, 'r');
    readSync(handle, head, 0, 15, 0);
    closeSync(handle);
    return Promise.resolve(head.toString('latin1') === 'SQLite format 3');
  },
  snapshot: takeSnapshot,
  inspect: (file) => Promise.resolve(inspectStudyFile(file)),
};

const drive = createDrive({
  projectRoot: root,
  destinations: [new FolderDestination({ name: 'store', path: store, projectRoot: root })],
  snapshotSource,
  log: { info: () => undefined, warn: () => undefined },
  // No second try in the kill tests: what a killed helper left at the destination is what is looked at.
  retry: { retries: action === 'coordinate' ? 3 : 0, minDelayMs: 10, timeoutMs: 10_000 },
});

let answer: unknown;
if (action === 'backup') answer = await drive.backup(path);
else if (action === 'restore') answer = await drive.restore(path);
else if (action === 'restore-folder') answer = await drive.restore(path, { isDirectory: true });
else if (action === 'coordinate') {
  const coordinator = new BackupCoordinator({ drive, studyDb: path, cpuShare: 1 });
  await coordinator.firstCopy();
  const until = Date.now() + Number(process.argv[6] ?? 3000);
  while (Date.now() < until) {
    coordinator.studyChanged();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  answer = await coordinator.flush(20_000);
  await coordinator.close();
}
await drive.close();
process.stdout.write(`${JSON.stringify(answer)}\n`);
