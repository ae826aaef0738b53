// What backups cost, and how fast they come back. Prints goal, measured value and their ratio for each number.
// node bench/backup.mjs [--short] [--pairs N] [--seconds S] [case …]      needs: npm run build
//   sweep-1, sweep-100   a sweep with backups to a destination of 300 ms latency, beside one without, in alternating pairs;
//                        studies of 1 and 100 MB. In full 20 pairs of 50 trials of 2 s: more than half an hour each.
//   snapshot             a writer's commits in another process while snapshots of a 100 MB study are taken
//   restore              a 100 MB study brought back and verified
//   memory               what a backup of a folder of 1 GB adds to the memory of its process
//   increment            what one more trial sends, of studies of 1, 10 and 100 MB: bytes and objects; the plain copy apart
import { execFile, fork } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { BackupCoordinator, createDrive, FolderDestination, openStorage, SqliteSnapshotSource } from '../dist/index.js';
import { median, show, takeLength, upperBoundOfMedian } from './backup-measure.mjs';
import { measureMemory } from './backup-memory.mjs';
import { fillStudy, oneTrial, writeProject } from './backup-study.mjs';

const LATENCY_MS = 300;
const args = process.argv.slice(2);
const { isShort, pairs, seconds, trials } = takeLength(args);

const base = mkdtempSync(join(tmpdir(), 'resweep-bench-'));
process.on('exit', () => rmSync(base, { recursive: true, force: true }));

const sorted = (values) => values.toSorted((a, b) => a - b);
const percentile = (values, share) =>
  sorted(values)[Math.min(values.length - 1, Math.ceil(values.length * share) - 1)] ?? NaN;

/** One line: name, what was measured, the goal (an upper limit), and how much of the goal that is. */
function report(name, unit, measured, goal, more = '') {
  const part = goal === undefined ? '' : `; goal <= ${goal} ${unit}; measured/goal ${show(measured / goal)}`;
  console.log(`${name}: ${show(measured)} ${unit}${part}${more === '' ? '' : `; ${more}`}`);
}

const studies = new Map();
/** A filled study of that size, made once: folder of its project, and finished trials. */
async function studyOf(megabytes) {
  let study = studies.get(megabytes);
  if (study === undefined) {
    const root = join(base, `study-${megabytes}`);
    mkdirSync(root);
    study = { root, ...(await fillStudy(root, megabytes)) };
    studies.set(megabytes, study);
  }
  return study;
}

const run = promisify(execFile);

async function sweep(megabytes, backup) {
  const { root: filled, finished } = await studyOf(megabytes);
  const root = join(base, 'sweep', 'project');
  cpSync(join(filled, 'outputs'), join(root, 'outputs'), { recursive: true });
  try {
    const config = writeProject(root, { seconds, backup });
    const program = join(import.meta.dirname, 'backup-sweep.mjs');
    const options = { maxBuffer: 1 << 28 };
    const { stdout } = await run(
      process.execPath,
      [program, config, String(finished + trials), String(LATENCY_MS)],
      options,
    );
    const result = JSON.parse(stdout);
    if (result.ended !== trials) throw new Error(`${result.ended} trials ended in place of ${trials}`);
    if (backup && result.copies === 0) throw new Error('no copy was made');
    if (result.problems.length > 0) throw new Error(`backups failed: ${result.problems.join(' ')}`);
    return result;
  } finally {
    rmSync(join(base, 'sweep'), { recursive: true, force: true });
  }
}

async function sweeps(megabytes) {
  const name = `sweep-${megabytes}`;
  await sweep(megabytes, true); // warm-up
  const withBackups = [];
  const without = [];
  for (let pair = 0; pair < pairs; pair++) {
    // Each order in turn, so that a machine that grows slower favours neither.
    for (const backup of pair % 2 === 0 ? [true, false] : [false, true]) {
      (backup ? withBackups : without).push(await sweep(megabytes, backup));
    }
  }
  const ratios = withBackups.map((result, index) => result.seconds / without[index].seconds);
  const bound = upperBoundOfMedian(ratios);
  const times = `median ${show(median(ratios))}; ${show(median(withBackups.map((r) => r.seconds)))} s with, ${show(median(without.map((r) => r.seconds)))} s without`;
  const copies = `${show(median(withBackups.map((r) => r.copies)))} copies each`;
  const size = `${pairs} pairs of ${trials} trials of ${seconds} s`;
  if (bound === undefined) console.log(`${name}: ${times}; a bound needs at least 5 pairs; ${size}`);
  else
    report(`${name} time with / without backups, upper 95 % bound`, 'x', bound, 1.01, `${times}; ${copies}; ${size}`);
  const callbacks = withBackups.flatMap((result) => result.callbackMs);
  report(
    `${name} trial delayed by the callback, longest`,
    'ms',
    Math.max(...callbacks),
    undefined,
    `median ${show(median(callbacks))} ms`,
  );
  for (const [what, of] of [
    ['between a trial and the next, median', (r) => median(r.gapMs)],
    ['event loop delay, 99th percentile', (r) => r.loopDelayMs.p99],
    ['event loop delay, longest', (r) => r.loopDelayMs.max],
  ]) {
    const [a, b] = [withBackups, without].map((results) => median(results.map(of)));
    report(`${name} ${what}`, 'ms', a, undefined, `${show(b)} ms without backups`);
  }
}

async function snapshots() {
  const { root, path: original } = await studyOf(100);
  const copy = join(base, 'snapshot');
  cpSync(join(root, 'outputs'), copy, { recursive: true });
  const path = join(copy, original.slice(join(root, 'outputs').length + 1));
  const source = new SqliteSnapshotSource();
  const writer = fork(join(import.meta.dirname, 'backup-writer.mjs'), [path, '3']);
  const ask = (message) =>
    new Promise((resolve, reject) => {
      const ended = () => reject(new Error('the writer ended'));
      writer.once('exit', ended);
      writer.once('message', (message) => {
        writer.off('exit', ended);
        resolve(message);
      });
      writer.send(message);
    });
  try {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const during = [];
    const between = [];
    const rounds = isShort ? 3 : 15;
    const snapshotMs = [];
    for (let round = 0; round < rounds; round++) {
      await ask('next');
      const start = performance.now();
      await source.snapshot(path, join(copy, 'snapshot.db'));
      const took = performance.now() - start;
      snapshotMs.push(took);
      during.push(...(await ask('next')));
      rmSync(join(copy, 'snapshot.db'));
      await new Promise((resolve) => setTimeout(resolve, took));
      between.push(...(await ask('next')));
    }
    await ask('end');
    const [a, b] = [percentile(during, 0.99), percentile(between, 0.99)];
    report(
      'snapshot: commit of another process meanwhile, 99th percentile',
      'ms',
      a,
      5,
      `${show(b)} ms without; ${during.length} and ${between.length} commits`,
    );
    report(
      'snapshot: the same, longest',
      'ms',
      Math.max(...during),
      undefined,
      `${show(Math.max(...between))} ms without`,
    );
    report('snapshot: time of one', 's', median(snapshotMs) / 1000, undefined, `${rounds} snapshots of 100 MB`);
  } finally {
    writer.kill();
    rmSync(copy, { recursive: true, force: true });
  }
}

async function restores() {
  const { root, path, finished } = await studyOf(100);
  const options = {
    projectRoot: root,
    snapshotSource: new SqliteSnapshotSource(),
    log: { info() {}, warn: console.error },
  };
  const destination = () => new FolderDestination({ name: 'store', path: join(base, 'store'), projectRoot: root });
  const writing = createDrive({ ...options, destinations: [destination()] });
  const start = performance.now();
  const saved = await writing.backup(path);
  const saveSeconds = (performance.now() - start) / 1000;
  await writing.close();
  if (!saved.ok) throw new Error(saved.error);
  const times = [];
  for (let round = 0; round < (isShort ? 3 : 10); round++) {
    const reading = createDrive({ ...options, destinations: [destination()] });
    const to = join(base, 'restored');
    const begin = performance.now();
    const result = await reading.restore(path, { to });
    times.push((performance.now() - begin) / 1000);
    await reading.close();
    if (result.status !== 'restored' || result.finishedTrials !== finished) {
      throw new Error(`not restored: ${JSON.stringify(result)}`);
    }
    rmSync(to, { recursive: true, force: true });
  }
  report(
    'restore: 100 MB, verified',
    's',
    median(times),
    3,
    `longest ${show(Math.max(...times))} s; the save took ${show(saveSeconds)} s; ${times.length} restores`,
  );
}

async function increments() {
  // By name, so that what is pruned meanwhile counts too.
  const lookAt = (store, seen) => {
    for (const entry of readdirSync(join(store, '.resweep'), { withFileTypes: true, recursive: true })) {
      const path = join(entry.parentPath, entry.name);
      if (!entry.isFile() || entry.name.startsWith('owner-') || seen.has(path)) continue;
      seen.set(path, statSync(path).size);
    }
    return seen;
  };
  const measured = [];
  for (const megabytes of [1, 10, 100]) {
    const { root, path: original } = await studyOf(megabytes);
    const project = join(base, `increment-${megabytes}`);
    cpSync(join(root, 'outputs'), join(project, 'outputs'), { recursive: true });
    const path = join(project, 'outputs', original.slice(join(root, 'outputs').length + 1));
    const store = join(base, `increment-store-${megabytes}`);
    const drive = createDrive({
      projectRoot: project,
      destinations: [new FolderDestination({ name: 'store', path: store, projectRoot: project })],
      snapshotSource: new SqliteSnapshotSource(),
      log: { info() {}, warn: console.error },
    });
    const coordinator = new BackupCoordinator({ drive, studyDb: path, cpuShare: 1 });
    await coordinator.firstCopy(120_000);
    const storage = await openStorage(path);
    const study = await storage.findStudy('bench');
    const rounds = isShort ? 10 : 40;
    const known = lookAt(store, new Map());
    const before = known.size;
    let seen = coordinator.status()[0].generation;
    for (let round = 0; round < rounds; round++) {
      await storage.createTrials(study.studyId, [oneTrial()]);
      coordinator.studyChanged();
      // Each trial has a save of its own.
      for (; coordinator.status()[0].generation === seen;) await new Promise((resolve) => setTimeout(resolve, 20));
      seen = coordinator.status()[0].generation;
      lookAt(store, known);
    }
    const sent = [...known.values()].slice(before);
    await storage.close();
    await coordinator.close();
    await drive.close();
    const one = {
      bytes: sent.reduce((sum, bytes) => sum + bytes, 0) / rounds,
      objects: sent.length / rounds,
    };
    measured.push(one);
    console.log(
      `increment-${megabytes}: ${show(one.bytes / 1000)} kB and ${show(one.objects)} objects a trial; ${show(one.bytes / measured[0].bytes)} times the bytes at 1 MB${
        megabytes <= 8 ? '; the plain copy of a study up to 8 MB is refreshed besides' : ''
      }`,
    );
  }
  report('increment at 100 MB / at 1 MB, bytes a trial', 'x', measured[2].bytes / measured[0].bytes, 1.1);
  report('increment at 100 MB / at 1 MB, objects a trial', 'x', measured[2].objects / measured[0].objects, 1);
}

function memory() {
  return measureMemory({
    kind: 'folder',
    base,
    megabytes: isShort ? 200 : 1000,
    openDrive: (root) =>
      createDrive({
        projectRoot: root,
        destinations: [new FolderDestination({ name: 'store', path: join(base, 'memory-store'), projectRoot: root })],
        snapshotSource: new SqliteSnapshotSource(),
        log: { info() {}, warn: console.error },
      }),
  });
}

const cases = {
  'sweep-1': () => sweeps(1),
  'sweep-100': () => sweeps(100),
  snapshot: snapshots,
  restore: restores,
  memory,
  increment: increments,
};
for (const name of args.length > 0 ? args : Object.keys(cases)) {
  if (cases[name] === undefined) throw new Error(`There is no case ${name}: ${Object.keys(cases).join(', ')}`);
  await cases[name]();
}
