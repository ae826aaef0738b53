// A fleet of simulated workers on one study in one PostgreSQL, started by the bench itself: trials per second, connections, what a
// trial costs, and how that grows with the study.
// node bench/fleet.mjs [--workers 1000] [--processes 8] [--sleep 20] [--seconds 60] [--finished 10000]
// needs: npm run build; PostgreSQL's programs (Debian: postgresql). Run as root it takes the user postgres for the server.
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import pg from 'pg';

import { createStudy, createTrial, FloatDistribution, NopPruner, RandomSampler } from '../dist/index.js';

const option = (name, standard) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? standard : Number(process.argv[at + 1]);
};
const workers = option('workers', 1000);
const processes = option('processes', 8);
const sleepMs = option('sleep', 20) * 1000;
const seconds = option('seconds', 60);
const FINISHED = [100, option('finished', 10_000)];

const server = await startPostgres(workers + 50);
try {
  const results = [];
  for (const finished of FINISHED) results.push(await fleet(`after-${finished}`, finished));
  const [small, large] = results;
  console.log(
    `cost per trial at ${FINISHED[1]} finished / at ${FINISHED[0]}: ${(large.cpuMs / small.cpuMs).toFixed(2)} (server and workers)`,
  );
} finally {
  await server.stop();
}

/** So many workers for so long on a study that has so many finished trials. */
async function fleet(studyName, finished) {
  const study = await createStudy({
    storage: server.url,
    studyName,
    sampler: new RandomSampler(),
    pruner: new NopPruner(),
  });
  const distributions = { x: new FloatDistribution(-5, 5), y: new FloatDistribution(1e-5, 1e-1, { log: true }) };
  const earlier = Array.from({ length: finished }, (_, i) =>
    createTrial({ value: i, params: { x: (i % 100) / 20 - 2.5, y: 1e-3 }, distributions }),
  );
  for (let i = 0; i < earlier.length; i += 1000) await study.addTrials(earlier.slice(i, i + 1000));
  await study.close();
  const each = Math.ceil(workers / processes);
  const children = Array.from({ length: processes }, () => {
    const child = spawn(
      process.execPath,
      [
        join(import.meta.dirname, 'fleet-worker.mjs'),
        JSON.stringify({ storage: server.url, studyName, workers: each, sleepMs, seconds }),
      ],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    const lines = [];
    child.stdout.on('data', (chunk) => lines.push(...String(chunk).split('\n').filter(Boolean)));
    return { child, lines };
  });
  while (!children.every(({ lines }) => lines.includes('ready'))) await pause(100);
  const before = server.cpuSeconds();
  for (const { child } of children) child.stdin.write('go\n');
  await pause((seconds * 1000) / 2);
  const [{ count }] = await query(
    "SELECT count(*)::int AS count FROM pg_stat_activity WHERE application_name <> 'bench' AND datname = 'postgres' AND pid <> pg_backend_pid()",
  );
  await Promise.all(children.map(({ child }) => new Promise((resolve) => child.once('exit', resolve))));
  const serverSeconds = server.cpuSeconds() - before;
  const sums = children.map(({ lines }) => JSON.parse(lines.find((line) => line.startsWith('{'))));
  const trials = sums.reduce((sum, { trials: own }) => sum + own, 0);
  const workerSeconds = sums.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
  const took = Math.max(...sums.map(({ seconds: own }) => own));
  const waits = sums.flatMap(({ overheadMs }) => overheadMs).sort((a, b) => a - b);
  const [{ total, distinct }] = await query(
    `SELECT count(*)::int AS total, count(DISTINCT number)::int AS distinct FROM trials t JOIN studies s USING (study_id) WHERE s.study_name = '${studyName}' AND state = 'COMPLETE'`,
  );
  const result = { cpuMs: ((serverSeconds + workerSeconds) / trials) * 1000 };
  console.log(
    `${workers} workers in ${processes} processes, ${finished} trials finished before, each trial sleeps ${sleepMs / 1000} s:`,
  );
  console.log(
    `  ${(trials / took).toFixed(0)} trials/s (at most ${(workers / (sleepMs / 1000)).toFixed(0)} with no cost at all), ${trials} in ${took.toFixed(0)} s`,
  );
  console.log(`  ${count} connections`);
  console.log(
    `  a trial costs ${((serverSeconds / trials) * 1000).toFixed(2)} ms of the server's processors and ${((workerSeconds / trials) * 1000).toFixed(2)} ms of the workers'`,
  );
  console.log(
    `  time of a trial beyond its sleep: median ${at(waits, 0.5)} ms, 95 % ${at(waits, 0.95)} ms, longest ${at(waits, 1)} ms`,
  );
  console.log(`  lost: ${finished + trials - total}, twice: ${total - distinct}`);
  return result;
}

function at(sorted, share) {
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN).toFixed(0);
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function query(sql) {
  const client = new pg.Client({ connectionString: server.url, application_name: 'bench' });
  await client.connect();
  const { rows } = await client.query(sql);
  await client.end();
  return rows;
}

async function startPostgres(connections) {
  const root = '/usr/lib/postgresql';
  const bin = join(root, readdirSync(root).sort((a, b) => b - a)[0], 'bin');
  const folder = mkdtempSync(join(tmpdir(), 'resweep-fleet-'));
  const port = await freePort();
  const as = { cwd: folder };
  if (process.getuid() === 0) {
    [as.uid, as.gid] = ['-u', '-g'].map((flag) => Number(execFileSync('id', [flag, 'postgres'])));
    chmodSync(folder, 0o755);
    chownSync(folder, as.uid, as.gid);
  }
  execFileSync(join(bin, 'initdb'), ['-A', 'trust', '-U', 'postgres', '--no-sync', '-D', join(folder, 'data')], {
    ...as,
    stdio: 'ignore',
  });
  const settings = [`max_connections=${connections}`, 'shared_buffers=256MB', 'synchronous_commit=on'].flatMap(
    (text) => ['-c', text],
  );
  const child = spawn(
    join(bin, 'postgres'),
    ['-D', join(folder, 'data'), '-p', String(port), '-k', folder, '-h', '127.0.0.1', ...settings],
    { ...as, stdio: 'ignore' },
  );
  const url = `postgresql://postgres@127.0.0.1:${port}/postgres`;
  for (let tries = 0; ; tries++) {
    try {
      const client = new pg.Client(url);
      await client.connect();
      await client.end();
      break;
    } catch (error) {
      if (tries > 100) throw error;
      await pause(100);
    }
  }
  return {
    url,
    // Of the server and all its children, also those that have ended.
    cpuSeconds: () => {
      let ticks = 0;
      for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
        try {
          const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
            .replace(/^.*\) /s, '')
            .split(' ');
          const own = Number(pid) === child.pid;
          if (own) ticks += [11, 12, 13, 14].reduce((sum, i) => sum + Number(fields[i]), 0);
          else if (Number(fields[1]) === child.pid) ticks += Number(fields[11]) + Number(fields[12]);
        } catch {
          // It has ended meanwhile.
        }
      }
      return ticks / 100;
    },
    stop: async () => {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGINT');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function freePort() {
  const socket = createServer();
  await new Promise((resolve) => socket.listen(0, '127.0.0.1', resolve));
  const { port } = socket.address();
  await new Promise((resolve) => socket.close(resolve));
  return port;
}
