// What a backup of a folder adds to the memory of its process, for the benches of every kind of destination.
import { closeSync, mkdirSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { randomFillSync } from 'node:crypto';
import { join } from 'node:path';

import { show } from './backup-measure.mjs';

const GOAL_MB = 100;
const FILE_MB = 50;

/** In pieces, so that what is measured does not begin with memory that making the file has left. */
function writeRandom(path, megabytes) {
  const file = openSync(path, 'w');
  const piece = Buffer.alloc(1e6);
  for (let written = 0; written < megabytes; written++) writeSync(file, randomFillSync(piece));
  closeSync(file);
}

/** Saves a folder of so many MB that nothing compresses; `openDrive(root)` gives what saves it. Prints the most memory over that before. */
export async function measureMemory({ kind, base, megabytes, openDrive }) {
  const root = join(base, 'memory');
  const folder = join(root, 'outputs', 'many');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(root, 'package.json'), '{}');
  for (let index = 0; index < megabytes / FILE_MB; index++) writeRandom(join(folder, `file-${index}`), FILE_MB);
  process.stderr.write(`… memory ${kind}: saving ${megabytes} MB\n`);
  const drive = openDrive(root);
  const before = process.memoryUsage.rss();
  let most = before;
  const watch = setInterval(() => (most = Math.max(most, process.memoryUsage.rss())), 20);
  const result = await drive.backup(folder, { isDirectory: true });
  clearInterval(watch);
  await drive.close();
  rmSync(root, { recursive: true });
  if (!result.ok) throw new Error(result.error);
  const added = (most - before) / 1e6;
  console.log(
    `memory ${kind}: ${megabytes} MB saved with ${show(added)} MB more memory at most; goal <= ${GOAL_MB} MB; measured/goal ${show(added / GOAL_MB)}`,
  );
}
