// Studies shared by many workers, beside real Optuna's, in one run, as pairs A B A B …; prints ratios and the goals.
// node bench/storage.mjs [--pairs 3] [case …]
// needs: npm run build; PostgreSQL (RESWEEP_TEST_POSTGRES_URL) and MariaDB (RESWEEP_TEST_MYSQL_URL); a Python with optuna and
// psycopg2 (RESWEEP_PYTHON)
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import mysql from 'mysql2/promise';
import pg from 'pg';

import {
  createStudy,
  createTrial,
  FloatDistribution,
  loadStudy,
  NopPruner,
  RandomSampler,
  TPESampler,
} from '../dist/index.js';

const args = process.argv.slice(2);
const pairsAt = args.indexOf('--pairs');
const pairs = pairsAt < 0 ? 3 : Number(args.splice(pairsAt, 2)[1]);
const python = process.env.RESWEEP_PYTHON ?? 'python3';
const POSTGRES = process.env.RESWEEP_TEST_POSTGRES_URL ?? 'postgresql://postgres@127.0.0.1:5432/postgres';
const MYSQL = process.env.RESWEEP_TEST_MYSQL_URL ?? 'mysql://root@127.0.0.1:3306/mysql';

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)];
const shown = (value) => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));

/** Runs `work` with the URL of an empty database of its own. */
const DATABASES = {
  postgres: (work) =>
    inDatabase(POSTGRES, work, async (sql) => {
      const client = new pg.Client(POSTGRES);
      await client.connect();
      await client.query(sql);
      await client.end();
    }),
  mysql: (work) =>
    inDatabase(MYSQL, work, async (sql) => {
      const connection = await mysql.createConnection(MYSQL);
      await connection.query(sql);
      await connection.end();
    }),
  sqlite: async (work) => {
    const folder = mkdtempSync(join(tmpdir(), 'resweep-bench-'));
    try {
      return await work(`sqlite:///${join(folder, 'study.db')}`);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

async function inDatabase(base, work, query) {
  const name = `resweep_bench_${process.pid}_${Date.now()}`;
  await query(`CREATE DATABASE ${name}`);
  const url = new URL(base);
  url.pathname = `/${name}`;
  try {
    return await work(url.href);
  } finally {
    await query(`DROP DATABASE ${name}`);
  }
}

/** Trials per second of so many processes together, from the word go to the end of the last. */
async function rateOf(program, options, processes, trials) {
  const each = Math.floor(trials / processes);
  const workers = Array.from({ length: processes }, (_, i) => {
    const own = { ...options, trials: i === 0 ? trials - each * (processes - 1) : each };
    const child = spawn(program[0], [...program.slice(1), JSON.stringify(own)], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, OMP_NUM_THREADS: '1' },
    });
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    const ended = new Promise((resolve) => child.once('close', resolve));
    const says = async (text) => {
      while (!output.includes(text)) {
        if (child.exitCode !== null && !output.includes(text))
          throw new Error(`A worker ended with ${child.exitCode}.`);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    };
    return { child, ended, says };
  });
  for (const worker of workers) await worker.says('ready');
  const start = performance.now();
  for (const { child } of workers) child.stdin.write('go\n');
  for (const worker of workers) await worker.says('seconds');
  const seconds = (performance.now() - start) / 1000;
  await Promise.all(workers.map((worker) => worker.ended));
  return trials / seconds;
}

const OURS = [process.execPath, 'bench/storage-worker.mjs'];
const OPTUNA = [python, 'bench/optuna_storage.py'];

async function newStudy(storage) {
  await (await createStudy({ storage, studyName: 's', seed: 1 })).close();
}

/** Ours against Optuna's, in pairs. */
async function against(engine, processes, trials, theirTrials, goal) {
  const ratios = [];
  let rates;
  for (let i = 0; i < pairs; i++) {
    const ours = await DATABASES[engine](async (storage) => {
      await newStudy(storage);
      return rateOf(OURS, { storage, studyName: 's' }, processes, trials);
    });
    const theirs = await DATABASES[engine](async (storage) => {
      const url = storage.replace('postgresql:', 'postgresql+psycopg2:');
      await newStudy(storage);
      return rateOf(OPTUNA, { storage: url, studyName: 's' }, processes, theirTrials);
    });
    ratios.push(ours / theirs);
    rates = `${shown(ours)} against ${shown(theirs)} trials/s`;
  }
  console.log(
    `${engine}, ${processes} processes, random: ×${shown(median(ratios))} (goal ×${goal}; last pair ${rates})`,
  );
}

/** Adds finished trials of two parameters. */
async function fill(storage, n) {
  const study = await createStudy({ storage, studyName: 's', seed: 1, loadIfExists: true });
  const distributions = { x: new FloatDistribution(-5, 5), y: new FloatDistribution(1e-5, 1e-1, { log: true }) };
  for (let done = 0; done < n; done += 1000) {
    const templates = Array.from({ length: Math.min(1000, n - done) }, (_, i) => {
      const x = ((done + i) % 1000) / 100 - 5;
      return createTrial({ params: { x, y: 0.01 }, distributions, value: x * x });
    });
    await study.addTrials(templates);
  }
  await study.close();
}

/** Milliseconds per trial of one worker on a study of n trials, the reading of its history not counted. */
async function costAt(storage, trials) {
  const study = await loadStudy({ storage, studyName: 's', sampler: new RandomSampler(), pruner: new NopPruner() });
  await study.sync();
  const objective = (trial) => trial.suggestFloat('x', -5, 5) ** 2 + trial.suggestFloat('y', 1e-5, 1e-1, { log: true });
  await study.optimize(objective, { nTrials: 20 });
  const times = [];
  for (let i = 0; i < trials; i++) {
    const start = performance.now();
    await study.optimize(objective, { nTrials: 1 });
    times.push(performance.now() - start);
  }
  await study.close();
  return median(times);
}

/** Cost per trial at 10,000 trials against that at 100, alternating between two databases. */
async function growth(engine) {
  await DATABASES[engine]((small) =>
    DATABASES[engine](async (large) => {
      await fill(small, 100);
      await fill(large, 10_000);
      const ratios = [];
      let last;
      for (let i = 0; i < pairs; i++) {
        const at100 = await costAt(small, 100);
        const at10000 = await costAt(large, 100);
        ratios.push(at10000 / at100);
        last = `${shown(at10000)} against ${shown(at100)} ms`;
      }
      console.log(
        `${engine}, a trial at 10,000 against one at 100: ×${shown(median(ratios))} (goal ≤ ×1.5; last ${last})`,
      );
    }),
  );
}

/** From nothing to the first suggestion on a study of 10,000 trials. */
async function firstSuggestion() {
  await DATABASES.postgres(async (storage) => {
    await fill(storage, 10_000);
    const times = [];
    for (let i = 0; i < pairs; i++) {
      const start = performance.now();
      const study = await loadStudy({ storage, studyName: 's', sampler: new TPESampler() });
      const trial = await study.ask({ x: new FloatDistribution(-5, 5) });
      times.push((performance.now() - start) / 1000);
      await study.tell(trial, 1);
      await study.close();
    }
    console.log(`postgres, first suggestion on 10,000 trials (TPE): ${shown(median(times))} s (goal ≤ 1 s)`);
  });
}

/** So many workers, each with a connection of its own, in a few processes. */
async function fleet(workers, processes, trials) {
  const rates = [];
  for (let i = 0; i < pairs; i++) {
    rates.push(
      await DATABASES.postgres(async (storage) => {
        await newStudy(storage);
        const options = { storage, studyName: 's', connections: workers / processes };
        return rateOf(OURS, options, processes, trials);
      }),
    );
  }
  console.log(
    `postgres, ${workers} workers in ${processes} processes, random: ${shown(median(rates))} trials/s (goal ≥ 500)`,
  );
}

const CASES = {
  'postgres-8': () => against('postgres', 8, 4_000, 400, 10),
  'sqlite-8': () => against('sqlite', 8, 8_000, 160, 50),
  'growth-sqlite': () => growth('sqlite'),
  'growth-postgres': () => growth('postgres'),
  'growth-mysql': () => growth('mysql'),
  'first-suggestion': firstSuggestion,
  'fleet-64': () => fleet(64, 4, 3_000),
};
for (const name of args.length > 0 ? args : Object.keys(CASES)) {
  if (CASES[name] === undefined) throw new Error(`No case "${name}": ${Object.keys(CASES).join(', ')}.`);
  await CASES[name]();
}
