// What backups by the Drive API cost. Prints each number; goal and ratio where there is one.
// node bench/backup-drive.mjs [--short] [--pairs N] [--seconds S] [case …]      needs: npm run build
//   traffic    requests and bytes per trial, once a study of 1, 10, 100 MB is saved
//   sweep-1    a sweep with backups to a Drive of 300 ms latency, beside one without, in alternating pairs; in full 20 pairs of 50
//   sweep-100  trials of 2 s: more than half an hour each
//   restore    a 100 MB study brought back and verified, 300 ms latency
//   memory     what a backup of a folder of 1 GB adds to the memory of its process
import { execFile, fork } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

import { createDestination, createDrive, SqliteSnapshotSource } from '../dist/index.js';
import { readEvents } from '../build/app/sweep/events-log.js';
import { median, show, takeLength, upperBoundOfMedian } from './backup-measure.mjs';
import { measureMemory } from './backup-memory.mjs';
import { fillStudy, writeProject } from './backup-study.mjs';

const LATENCY_MS = 300;
const args = process.argv.slice(2);
const { isShort, pairs, seconds, trials } = takeLength(args);

const base = mkdtempSync(join(tmpdir(), 'resweep-bench-'));
process.on('exit', () => rmSync(base, { recursive: true, force: true }));
process.env.XDG_STATE_HOME = join(base, 'state');

/** Says what is under way, beside the numbers. */
function progress(text) {
  process.stderr.write(`… ${text}\n`);
}

/** A Drive in a process of its own. */
async function withDrive(latencyMs, use) {
  const child = fork(join(import.meta.dirname, 'drive-server.mjs'), [String(latencyMs)]);
  try {
    const { url, credentials } = await new Promise((resolve, reject) => {
      child.once('message', resolve);
      child.once('exit', () => reject(new Error('the Drive server ended before it listened')));
    });
    const file = join(base, 'credentials.json');
    writeFileSync(file, JSON.stringify(credentials), { mode: 0o600 });
    const requests = () =>
      new Promise((resolve) => {
        child.once('message', resolve);
        child.send('requests');
      });
    return await use({ options: { credentials: file, rootUrl: url }, requests });
  } finally {
    if (child.connected) child.disconnect();
  }
}

const studies = new Map();
async function studyOf(megabytes) {
  let study = studies.get(megabytes);
  if (study === undefined) {
    progress(`filling a study of ${megabytes} MB`);
    const root = join(base, `study-${megabytes}`);
    mkdirSync(root);
    study = { root, ...(await fillStudy(root, megabytes)) };
    studies.set(megabytes, study);
  }
  return study;
}

const run = promisify(execFile);

/** One sweep in a process of its own; what it measured, and its events. */
async function sweep(megabytes, count, trialSeconds, drive) {
  const { root: filled, path, finished } = await studyOf(megabytes);
  const root = join(base, 'sweep', 'project');
  cpSync(join(filled, 'outputs'), join(root, 'outputs'), { recursive: true });
  try {
    const config = writeProject(root, { seconds: trialSeconds, backup: false });
    if (drive !== undefined) {
      const { credentials, rootUrl } = drive.options;
      const destination = { name: 'far', type: 'google-drive', credentials, root_url: rootUrl };
      const text = readFileSync(config, 'utf8').replace(
        '  enabled: false',
        `  destinations: [${JSON.stringify(destination)}]`,
      );
      writeFileSync(config, text);
    }
    const program = join(import.meta.dirname, 'backup-sweep.mjs');
    const { stdout } = await run(process.execPath, [program, config, String(finished + count), '0'], {
      maxBuffer: 1 << 28,
    });
    const result = JSON.parse(stdout);
    if (result.ended !== count) throw new Error(`${result.ended} trials ended in place of ${count}`);
    if (drive !== undefined && result.copies === 0) throw new Error('no copy was made');
    if (result.problems.length > 0) throw new Error(`backups failed: ${result.problems.join(' ')}`);
    const db = join(root, path.slice(filled.length + 1));
    return { ...result, events: readEvents(join(dirname(db), 'events.jsonl')) };
  } finally {
    rmSync(join(base, 'sweep'), { recursive: true, force: true });
  }
}

async function traffic() {
  // Longer sweeps of larger studies: their first copy takes a while.
  for (const [megabytes, count] of [
    [1, 12],
    [10, 30],
    [100, 90],
  ]) {
    await withDrive(0, async (drive) => {
      progress(`traffic: a sweep over a study of ${megabytes} MB`);
      const { events } = await sweep(megabytes, isShort ? count : 2 * count, 1, drive);
      const run = events.slice(events.findLastIndex(({ event }) => /^sweep-(started|resumed)$/.test(event)));
      const at = ({ at }) => Date.parse(at);
      const saved = run.find(({ event, path }) => event === 'backup' && path.endsWith('/study.db'));
      const ends = run.filter(({ event }) => event === 'trial-ended').map(at);
      // From the first whole copy to the last trial: the flush at the end is another matter.
      const [from, to] = [at(saved), Math.max(...ends)];
      const inside = ends.filter((time) => time > from && time <= to).length;
      const asked = (await drive.requests()).filter((request) => request.at > from && request.at <= to);
      const sum = (field) => asked.reduce((total, request) => total + request[field], 0);
      console.log(
        `traffic: ${megabytes} MB: ${show(asked.length / inside)} requests, ${show(sum('requestBytes') / inside / 1000)} kB up, ` +
          `${show(sum('replyBytes') / inside / 1000)} kB down per trial, over ${inside} trials (study, folder, owner, plain copies)`,
      );
    });
  }
}

async function sweeps(megabytes) {
  await withDrive(LATENCY_MS, async (drive) => {
    const withBackups = [];
    const without = [];
    for (let pair = 0; pair < pairs; pair++) {
      progress(`sweep-${megabytes}: pair ${pair + 1} of ${pairs}`);
      for (const backup of pair % 2 === 0 ? [true, false] : [false, true]) {
        (backup ? withBackups : without).push(await sweep(megabytes, trials, seconds, backup ? drive : undefined));
      }
    }
    const ratios = withBackups.map((result, index) => result.seconds / without[index].seconds);
    const bound = upperBoundOfMedian(ratios);
    const goal =
      bound === undefined
        ? ''
        : `upper 95 % bound ${show(bound)} x; goal <= 1.01 x; measured/goal ${show(bound / 1.01)}; `;
    console.log(
      `sweep-${megabytes} time with / without backups: ${goal}median ${show(median(ratios))} x; ` +
        `${show(median(withBackups.map((r) => r.copies)))} copies each; ${pairs} pairs of ${trials} trials of ${seconds} s`,
    );
  });
}

async function restores() {
  await withDrive(LATENCY_MS, async ({ options }) => {
    const { root, path, finished } = await studyOf(100);
    const open = () =>
      createDrive({
        projectRoot: root,
        snapshotSource: new SqliteSnapshotSource(),
        destinations: [createDestination('google-drive', options, { name: 'far', projectRoot: root })],
        log: { info() {}, warn: console.error },
      });
    progress('restore: the save');
    const writing = open();
    const begin = performance.now();
    const saved = await writing.backup(path);
    const saveSeconds = (performance.now() - begin) / 1000;
    await writing.close();
    if (!saved.ok) throw new Error(saved.error);
    const times = [];
    for (let round = 0; round < (isShort ? 3 : 10); round++) {
      const reading = open();
      const to = join(base, 'restored');
      const start = performance.now();
      const result = await reading.restore(path, { to });
      times.push((performance.now() - start) / 1000);
      await reading.close();
      if (result.status !== 'restored' || result.finishedTrials !== finished) {
        throw new Error(`not restored: ${JSON.stringify(result)}`);
      }
      rmSync(to, { recursive: true, force: true });
    }
    console.log(
      `restore: 100 MB, verified: ${show(median(times))} s; longest ${show(Math.max(...times))} s; the save took ${show(saveSeconds)} s`,
    );
  });
}

function memory() {
  return withDrive(0, ({ options }) =>
    measureMemory({
      kind: 'google-drive',
      base,
      megabytes: isShort ? 200 : 1000,
      openDrive: (root) =>
        createDrive({
          projectRoot: root,
          snapshotSource: new SqliteSnapshotSource(),
          destinations: [createDestination('google-drive', options, { name: 'far', projectRoot: root })],
          log: { info() {}, warn: console.error },
        }),
    }),
  );
}

const cases = { traffic, 'sweep-1': () => sweeps(1), 'sweep-100': () => sweeps(100), restore: restores, memory };
for (const name of args.length > 0 ? args : Object.keys(cases)) {
  if (cases[name] === undefined) throw new Error(`There is no case ${name}: ${Object.keys(cases).join(', ')}`);
  await cases[name]();
}
