// What backups to S3 and GitHub cost, beside restic and rclone. Prints each number; goal and ratio where there is one.
// node bench/backup-remote.mjs [--short] [--kind s3|github] [--pairs N] [--seconds S] [case …]
// needs: npm run build. s3 is moto: of RESWEEP_PYTHON where that is set, else of .cache/python, which is made (pip) where it is missing.
// peers: restic, and rclone beside that Python or on the path. Numbers go to stdout, what is under way to stderr.
//   traffic    requests and bytes per save of one more trial by its owner, studies of 1, 10, 100 MB; an owner's beats are not counted
//   sweep-1    a sweep with backups to a service of 300 ms latency, beside one without, in alternating pairs; in full 20 pairs of 50
//   sweep-100  trials of 2 s: more than half an hour each
//   memory     what a backup of a folder of 1 GB adds to the memory of its process
//   peers      bytes per trial and time to restore, with restic and rclone on the same study of 100 MB (10 MB with --short)
import { execFile, fork, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

import { DriveCore } from '../build/backup/drive/drive-core.js';
import { OwnerFence } from '../build/backup/ownership/owner-fence.js';
import { createDestination, createDrive, SqliteSnapshotSource } from '../dist/index.js';
import { at } from '../scripts/lib/paths.mjs';
import { pythonWith } from '../scripts/lib/python.mjs';
import { median, show, take, takeLength, upperBoundOfMedian } from './backup-measure.mjs';
import { measureMemory } from './backup-memory.mjs';
import { addTrial, fillStudy, writeProject } from './backup-study.mjs';

const LATENCY_MS = 300;
const args = process.argv.slice(2);
const { isShort, pairs, seconds, trials } = takeLength(args);
const kinds = [take(args, '--kind', true) ?? ['s3', 'github']].flat();

const base = mkdtempSync(join(tmpdir(), 'resweep-bench-'));
process.on('exit', () => rmSync(base, { recursive: true, force: true }));

/** Says what is under way. */
function progress(text) {
  process.stderr.write(`… ${text}\n`);
}

/** Makes sure of moto, which is S3 here. */
async function findMoto() {
  if (process.env.RESWEEP_PYTHON === undefined) {
    progress('looking for a Python with moto');
    const { python, problem } = await pythonWith(at('test', 'lanes', 'services', 'requirements.txt'));
    if (problem !== undefined)
      fail(`S3 needs moto, and it cannot be had: ${problem} Or name a Python that has it: RESWEEP_PYTHON.`);
    process.env.RESWEEP_PYTHON = python;
  }
  const server = join(dirname(process.env.RESWEEP_PYTHON), 'moto_server');
  if (existsSync(server)) return;
  fail(
    `S3 needs moto, and ${server} does not exist: install it there (pip install 'moto[server]'), or unset RESWEEP_PYTHON.`,
  );
}

function fail(message) {
  console.error(message);
  process.exit(1);
}

/** A service in a process of its own. */
async function withService(kind, latencyMs, use) {
  if (kind === 's3') await findMoto();
  const child = fork(join(import.meta.dirname, 'remote-server.mjs'), [kind, String(latencyMs)]);
  try {
    const { options, env } = await new Promise((resolve, reject) => {
      child.once('message', resolve);
      child.once('exit', () => reject(new Error(`the ${kind} server ended before it listened`)));
    });
    Object.assign(process.env, env);
    const requests = () =>
      new Promise((resolve) => {
        child.once('message', resolve);
        child.send('requests');
      });
    return await use({ type: kind, options, requests });
  } finally {
    child.removeAllListeners('exit');
    if (child.exitCode === null && child.signalCode === null) {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      if (child.connected) child.disconnect();
      await ended;
    }
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

function openDrive(root, { type, options }) {
  return createDrive({
    projectRoot: root,
    snapshotSource: new SqliteSnapshotSource(),
    destinations: [createDestination(type, options, { name: 'far', projectRoot: root })],
    log: { info() {}, warn: console.error },
  });
}

async function saved(drive, path, options) {
  const result = await drive.backup(path, options);
  if (!result.ok) throw new Error(result.error);
}

const sum = (asked, field) => asked.reduce((total, request) => total + request[field], 0);

/** What one more trial costs, saved as a running sweep saves it: by its owner, without the plain copy, which goes with full snapshots. */
async function traffic(kind) {
  const perTrial = [];
  for (const megabytes of isShort ? [1, 10] : [1, 10, 100]) {
    await withService(kind, 0, async (service) => {
      const { root, path } = await studyOf(megabytes);
      const core = new DriveCore({
        projectRoot: root,
        snapshotSource: new SqliteSnapshotSource(),
        destinations: [createDestination(service.type, service.options, { name: 'far', projectRoot: root })],
      });
      const [destination] = core.destinations;
      const target = core.target(path);
      const fence = new OwnerFence(destination, target, { ownerId: core.ownerId, leaseMs: 3_600_000 });
      core.setFence(destination, target, fence);
      await fence.claim();
      const save = async (full) => {
        const request = { target, path, isDirectory: false, full };
        const capture = await core.capturer.capture(request);
        await core.save(destination, capture, { mirror: full });
        core.capturer.release(capture);
      };
      progress(`${kind}: first copy of ${megabytes} MB`);
      await save(true);
      await save(false);
      await service.requests();
      const count = isShort ? 5 : 20;
      progress(`${kind}: ${count} trials, each saved`);
      for (let trial = 0; trial < count; trial++) {
        await addTrial(path);
        await save(false);
      }
      const asked = await service.requests();
      await core.close();
      perTrial.push({ requests: asked.length / count, up: sum(asked, 'requestBytes') / count });
      console.log(
        `traffic ${kind}: ${megabytes} MB: ${show(asked.length / count)} requests (${show(asked.filter(({ status }) => status === 304).length / count)} of them 304), ` +
          `${show(sum(asked, 'requestBytes') / count / 1000)} kB up, ${show(sum(asked, 'replyBytes') / count / 1000)} kB down per trial`,
      );
    });
  }
  const [first, last] = [perTrial[0], perTrial.at(-1)];
  console.log(
    `traffic ${kind}: largest / smallest study: ${show(last.requests / first.requests)} x requests, ${show(last.up / first.up)} x bytes up`,
  );
}

const run = promisify(execFile);

async function sweep(megabytes, service) {
  const { root: filled, finished } = await studyOf(megabytes);
  const root = join(base, 'sweep', 'project');
  cpSync(join(filled, 'outputs'), join(root, 'outputs'), { recursive: true });
  try {
    const config = writeProject(root, { seconds, backup: false });
    if (service !== undefined) {
      const { apiUrl, ...others } = service.options;
      const own = apiUrl === undefined ? others : { ...others, api_url: apiUrl };
      const every = service.type === 'github' ? { every: 'trial' } : {};
      const destination = { name: 'far', type: service.type, ...own, ...every, project: `p${Math.random()}` };
      writeFileSync(
        config,
        readFileSync(config, 'utf8').replace('  enabled: false', `  destinations: [${JSON.stringify(destination)}]`),
      );
    }
    const program = join(import.meta.dirname, 'backup-sweep.mjs');
    const { stdout } = await run(process.execPath, [program, config, String(finished + trials), '0'], {
      maxBuffer: 1 << 28,
    });
    const result = JSON.parse(stdout);
    if (result.ended !== trials) throw new Error(`${result.ended} trials ended in place of ${trials}`);
    if (service !== undefined && result.copies === 0) throw new Error('no copy was made');
    if (result.problems.length > 0) throw new Error(`backups failed: ${result.problems.join(' ')}`);
    return result;
  } finally {
    rmSync(join(base, 'sweep'), { recursive: true, force: true });
  }
}

async function sweeps(kind, megabytes) {
  await withService(kind, LATENCY_MS, async (service) => {
    const withBackups = [];
    const without = [];
    for (let pair = 0; pair < pairs; pair++) {
      progress(`sweep-${megabytes} ${kind}: pair ${pair + 1} of ${pairs}`);
      for (const backup of pair % 2 === 0 ? [true, false] : [false, true]) {
        (backup ? withBackups : without).push(await sweep(megabytes, backup ? service : undefined));
      }
    }
    const ratios = withBackups.map((result, index) => result.seconds / without[index].seconds);
    const bound = upperBoundOfMedian(ratios);
    const goal =
      bound === undefined
        ? ''
        : `upper 95 % bound ${show(bound)} x; goal <= 1.01 x; measured/goal ${show(bound / 1.01)}; `;
    console.log(
      `sweep-${megabytes} ${kind} time with / without backups: ${goal}median ${show(median(ratios))} x; ` +
        `${show(median(withBackups.map((r) => r.copies)))} copies each; ${pairs} pairs of ${trials} trials of ${seconds} s`,
    );
  });
}

async function memory(kind) {
  await withService(kind, 0, (service) =>
    measureMemory({ kind, base, megabytes: isShort ? 200 : 1000, openDrive: (root) => openDrive(root, service) }),
  );
}

/** The same study, one trial later, sent by three programs; then brought back. */
async function peers() {
  const megabytes = isShort ? 10 : 100;
  await withService('s3', 0, async (service) => {
    const { root, path } = await studyOf(megabytes);
    const { endpoint } = service.options;
    const rclone = [join(dirname(process.env.RESWEEP_PYTHON ?? ''), 'rclone'), '/usr/bin/rclone'].find(existsSync);
    const tool = (command, ...given) => {
      const { status, stderr } = spawnSync(command, given, {
        encoding: 'utf8',
        env: { ...process.env, RESTIC_PASSWORD: 'bench', RESTIC_CACHE_DIR: join(base, 'restic-cache') },
      });
      if (status !== 0) throw new Error(`${command} ${given.join(' ')}: ${stderr}`);
    };
    const remote = `:s3,provider=Other,env_auth=true,endpoint="${endpoint}":bench/rclone`;
    const copy = join(base, 'peer');
    const snapshot = async () => {
      mkdirSync(copy, { recursive: true });
      rmSync(join(copy, 'study.db'), { force: true });
      await new SqliteSnapshotSource().snapshot(path, join(copy, 'study.db'));
    };
    const drive = openDrive(root, service);
    const back = join(base, 'back');
    const programs = {
      resweep: { save: () => saved(drive, path), restore: () => drive.restore(path, { to: back }) },
      ...(spawnSync('restic', ['version']).status === 0
        ? {
            restic: {
              prepare: () => tool('restic', '-r', `s3:${endpoint}/bench/restic`, 'init'),
              save: () => tool('restic', '-r', `s3:${endpoint}/bench/restic`, 'backup', '-q', copy),
              restore: () => tool('restic', '-r', `s3:${endpoint}/bench/restic`, 'restore', '-q', 'latest', '-t', back),
            },
          }
        : {}),
      ...(rclone === undefined
        ? {}
        : {
            rclone: {
              save: () => tool(rclone, '--config', '', 'copy', '-q', copy, remote),
              restore: () => tool(rclone, '--config', '', 'copy', '-q', remote, back),
            },
          }),
    };
    const count = isShort ? 3 : 10;
    const result = {};
    for (const [name, { prepare }] of Object.entries(programs)) {
      prepare?.();
      result[name] = { up: [], restore: [] };
    }
    for (let round = -1; round < count; round++) {
      progress(`peers: trial ${round + 2} of ${count + 1}`);
      await addTrial(path);
      await snapshot();
      for (const [name, { save }] of Object.entries(programs)) {
        await service.requests();
        await save();
        const asked = await service.requests();
        // The plain copy that a save by hand refreshes is no part of what a trial costs.
        const counted = asked.filter(({ url }) => !(name === 'resweep' && !url.includes('.resweep')));
        if (round >= 0) result[name].up.push(sum(counted, 'requestBytes'));
      }
    }
    for (let round = 0; round < 3; round++) {
      progress(`peers: restore ${round + 1} of 3`);
      for (const [name, { restore }] of Object.entries(programs)) {
        const start = performance.now();
        await restore();
        result[name].restore.push((performance.now() - start) / 1000);
        rmSync(back, { recursive: true, force: true });
      }
    }
    await drive.close();
    const { up, restore } = result.resweep;
    console.log(
      `peers: a study of ${show(statSync(path).size / 1e6)} MB, ${count} times one more trial, moto without latency`,
    );
    for (const [name, other] of Object.entries(result)) {
      console.log(
        `peers ${name}: ${show(median(other.up) / 1000)} kB up per trial (resweep/${name} ${show(median(up) / median(other.up))}), ` +
          `restore ${show(median(other.restore))} s (resweep/${name} ${show(median(restore) / median(other.restore))})`,
      );
    }
  });
}

const each = (work) => async () => {
  for (const kind of kinds) await work(kind);
};
const cases = {
  traffic: each(traffic),
  'sweep-1': each((kind) => sweeps(kind, 1)),
  'sweep-100': each((kind) => sweeps(kind, 100)),
  memory: each(memory),
  peers,
};
for (const name of args.length > 0 ? args : Object.keys(cases)) {
  if (cases[name] === undefined) throw new Error(`There is no case ${name}: ${Object.keys(cases).join(', ')}`);
  await cases[name]();
}
