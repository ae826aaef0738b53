// Speed of the engine beside real Optuna's, in one run, as pairs A B A B …; prints the median ratio of the pairs and the goal.
// node bench/engine.mjs [--pairs 5] [case …]      needs: npm run build, a Python with optuna (RESWEEP_PYTHON, default .cache/python)
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createStudy, createTrial, FloatDistribution, NopPruner, RandomSampler, TPESampler } from '../dist/index.js';

const args = process.argv.slice(2);
const pairsAt = args.indexOf('--pairs');
const pairs = pairsAt < 0 ? 5 : Number(args.splice(pairsAt, 2)[1]);
const python =
  process.env.RESWEEP_PYTHON ?? (existsSync('.cache/python/bin/python') ? '.cache/python/bin/python' : 'python3');

const objective = (trial) => trial.suggestFloat('x', -5, 5) ** 2 + trial.suggestFloat('y', 1e-5, 1e-1, { log: true });

function optuna(name, ...parameters) {
  const output = execFileSync(python, ['bench/optuna_engine.py', name, ...parameters.map(String)], {
    env: { ...process.env, OMP_NUM_THREADS: '1' },
    encoding: 'utf8',
  });
  return JSON.parse(output.trim().split('\n').at(-1)).result;
}

async function inFolder(work) {
  const folder = mkdtempSync(join(tmpdir(), 'resweep-bench-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function trialsPerSecond(options, n) {
  const study = await createStudy({ pruner: new NopPruner(), ...options });
  const start = performance.now();
  await study.optimize(objective, { nTrials: n });
  const rate = n / ((performance.now() - start) / 1000);
  await study.close();
  return rate;
}

const { openStorage } = await import('../build/storage/open-storage.js');
const sqlite = (n, durability) => () =>
  inFolder(async (folder) =>
    trialsPerSecond(
      { storage: await openStorage(join(folder, 'study.db'), { durability }), sampler: new RandomSampler({ seed: 1 }) },
      n,
    ),
  );

function random(seed) {
  let state = seed;
  return () => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0), state / 2 ** 32);
}

async function studyOf(n, params, options = {}) {
  const next = random(1);
  const study = await createStudy({ sampler: new TPESampler({ seed: 1 }), ...options });
  const distributions = Object.fromEntries(
    Array.from({ length: params }, (_, i) => [`p${i}`, new FloatDistribution(0, 1)]),
  );
  const templates = Array.from({ length: n }, () =>
    createTrial({
      params: Object.fromEntries(Object.keys(distributions).map((name) => [name, next()])),
      distributions,
      value: next(),
    }),
  );
  await study.addTrials(templates);
  return { study, distributions, next };
}

async function tpeSuggestion(n, params, repeats) {
  const { study, distributions, next } = await studyOf(n, params);
  const times = [];
  for (let i = 0; i < repeats; i++) {
    const start = performance.now();
    const trial = await study.ask(distributions);
    times.push(performance.now() - start);
    await study.tell(trial, next());
  }
  await study.close();
  return times.sort((a, b) => a - b)[times.length >> 1];
}

let tenThousand;
async function tenThousandTrials() {
  if (tenThousand !== undefined) return tenThousand;
  const folder = mkdtempSync(join(tmpdir(), 'resweep-bench-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  tenThousand = join(folder, 'study.db');
  const next = random(1);
  const study = await createStudy({ storage: tenThousand, studyName: 'bench' });
  const distributions = { x: new FloatDistribution(-5, 5), y: new FloatDistribution(1e-5, 1e-1, { log: true }) };
  await study.addTrials(
    Array.from({ length: 10_000 }, () =>
      createTrial({ params: { x: next() * 10 - 5, y: 1e-5 + next() * 0.09 }, distributions, value: next() }),
    ),
  );
  await study.close();
  return tenThousand;
}

/** Reopening in a process of its own, from before the library is loaded to the first suggestion. */
async function reopen() {
  const path = await tenThousandTrials();
  const script = `
    const start = performance.now();
    const { loadStudy, FloatDistribution } = await import(${JSON.stringify(new URL('../dist/index.js', import.meta.url).href)});
    const study = await loadStudy({ storage: ${JSON.stringify(path)} });
    const trial = await study.ask();
    trial.suggestFloat('x', -5, 5);
    process.stdout.write(String((performance.now() - start) / 1000));
    await study.tell(trial, undefined, { state: 'FAIL' });
    await study.close();`;
  return Number(execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }));
}

async function optunaReopen() {
  const path = await tenThousandTrials();
  copyFileSync(path, `${path}.copy`);
  const seconds = optuna('reopen', `${path}.copy`);
  rmSync(`${path}.copy`);
  return seconds;
}

function helpSeconds() {
  const start = performance.now();
  spawnSync(process.execPath, ['dist/cli/main.js', '--help']);
  return (performance.now() - start) / 1000;
}

const cases = {
  'sqlite-random': {
    unit: 'trials/s',
    better: 'more',
    goal: '>= 100x',
    ours: sqlite(5000, 'normal'),
    theirs: () => optuna('sqlite_random', 300),
  },
  'sqlite-random-full': {
    unit: 'trials/s',
    better: 'more',
    goal: '>= 20x',
    ours: sqlite(3000, 'full'),
    theirs: () => optuna('sqlite_random', 300),
  },
  'memory-tpe-1000': {
    unit: 'trials/s',
    better: 'more',
    goal: '>= 20x',
    ours: () => trialsPerSecond({ sampler: new TPESampler({ seed: 1 }) }, 1000),
    theirs: () => optuna('memory_tpe', 1000),
  },
  'tpe-10000-2': {
    unit: 'ms',
    better: 'less',
    goal: '<= 1 ms',
    ours: () => tpeSuggestion(10_000, 2, 200),
    theirs: () => optuna('tpe_suggestion', 10_000, 2, 10),
  },
  'tpe-10000-10': {
    unit: 'ms',
    better: 'less',
    goal: '<= 5 ms',
    ours: () => tpeSuggestion(10_000, 10, 100),
    theirs: () => optuna('tpe_suggestion', 10_000, 10, 5),
  },
  'reopen-10000': { unit: 's', better: 'less', goal: '<= 0.5 s', ours: reopen, theirs: optunaReopen },
  help: { unit: 's', better: 'less', goal: '<= 0.15 s', ours: async () => helpSeconds() },
};

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const show = (value) => Number(value.toPrecision(4));

const chosen = args.length > 0 ? args : Object.keys(cases);
for (const name of chosen) {
  const { unit, better, goal, ours, theirs } = cases[name] ?? {};
  if (ours === undefined) throw new Error(`There is no case ${name}: ${Object.keys(cases).join(', ')}`);
  await ours(); // warm-up
  const a = [];
  const b = [];
  for (let i = 0; i < pairs; i++) {
    a.push(await ours());
    if (theirs !== undefined) b.push(await theirs());
  }
  const ratios = a.map((value, i) => (better === 'more' ? value / b[i] : b[i] / value));
  const comparison =
    theirs === undefined
      ? ''
      : `, Optuna ${show(median(b))} ${unit}, ratio ${show(median(ratios))}x (${show(Math.min(...ratios))} to ${show(Math.max(...ratios))})`;
  console.log(`${name}: ${show(median(a))} ${unit}${comparison}; goal ${goal}; ${pairs} pairs`);
}
