// Time of a suggestion: each sampler as a study grows, and beside Optuna's in pairs A B A B …, with the median ratio.
// node bench/samplers.mjs [--pairs 3] [--most 100000] [curve|pairs] [sampler …]
// needs: npm run build; for pairs a Python with optuna, scipy and torch (RESWEEP_PYTHON, default .cache/python)
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

import {
  AutoSampler,
  CategoricalDistribution,
  createStudy,
  createTrial,
  FloatDistribution,
  GPSampler,
  IntDistribution,
  TPESampler,
} from '../dist/index.js';

const args = process.argv.slice(2);
const pairs = Number(option('--pairs') ?? 3);
const most = Number(option('--most') ?? 100_000);
const python =
  process.env.RESWEEP_PYTHON ?? (existsSync('.cache/python/bin/python') ? '.cache/python/bin/python' : 'python3');
const parts = ['curve', 'pairs'].filter((part) => args.includes(part));
const wanted = args.filter((arg) => !['curve', 'pairs'].includes(arg));

function option(name) {
  const at = args.indexOf(name);
  return at < 0 ? undefined : args.splice(at, 2)[1];
}

/** `capped`: why the time stays what it is from some number of trials on. `optuna`: its sampler, and the trials to compare at. */
const SAMPLERS = {
  auto: {
    create: (seed) => new AutoSampler({ seed }),
    capped: 'the models see at most 100 trials, the better half and others spread over the rest',
  },
  gp: {
    create: (seed) => new GPSampler({ seed }),
    capped: 'the processes see at most 200 trials, the better half and others spread over the rest',
    optuna: { name: 'GPSampler', at: [30, 100, 200], suggestions: 5 },
  },
  tpe: {
    create: (seed) => new TPESampler({ seed }),
    optuna: { name: 'TPESampler', at: [200, 1000], suggestions: 20 },
  },
};

/** As in optuna_samplers.py. */
function spaceOf(params) {
  const entries = Array.from({ length: params - 1 }, (_, i) => [
    `p${i}`,
    i % 3 === 2 ? new IntDistribution(0, 20) : new FloatDistribution(0, 1),
  ]);
  return Object.fromEntries([...entries, ['c', new CategoricalDistribution(['a', 'b', 'c'])]]);
}

function valueOf(params, space) {
  const loss = Object.entries(params).reduce((sum, [name, value]) => {
    if (name === 'c') return sum + (value === 'b' ? 0 : 0.3);
    return sum + ((space[name].kind === 'int' ? value / 20 : value) - 0.3) ** 2;
  }, 0);
  return loss + 0.1 * Math.sin(20 * params.p0);
}

let state = 1;
const random = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;

function draw(distribution) {
  if (distribution.kind === 'categorical') return distribution.choices[Math.floor(random() * 3)];
  return distribution.kind === 'int' ? Math.floor(random() * 21) : random();
}

function trialsOf(space, count) {
  return Array.from({ length: count }, () => {
    const params = Object.fromEntries(Object.entries(space).map(([name, distribution]) => [name, draw(distribution)]));
    return createTrial({ params, distributions: space, value: valueOf(params, space) });
  });
}

/** Mean milliseconds of the suggestions after the first, which brings the models up to date. */
async function suggestionMs(study, space, count) {
  let total = 0;
  for (let i = 0; i <= count; i++) {
    const start = performance.now();
    const trial = await study.ask(space);
    if (i > 0) total += performance.now() - start;
    await study.tell(trial, valueOf(trial.params, space));
  }
  return total / count;
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const show = (value) => value.toPrecision(3);

async function curve(name, { create, capped }) {
  for (const params of [2, 10]) {
    const space = spaceOf(params);
    const study = await createStudy({ sampler: create(1) });
    const times = [];
    let size = 0;
    for (const n of [100, 1_000, 10_000, 100_000].filter((n) => n <= most)) {
      await study.addTrials(trialsOf(space, n - size));
      times.push(`${n.toLocaleString('en')}: ${show(await suggestionMs(study, space, 10))}`);
      size = n + 11;
    }
    await study.close();
    console.log(`${name}, ${params} parameters, ms per suggestion at trials ${times.join(', ')}`);
  }
  if (capped !== undefined) console.log(`  capped: ${capped}`);
}

async function paired(name, { create, optuna }) {
  if (optuna === undefined) return;
  for (const n of optuna.at) {
    for (const params of [5, 10]) {
      const space = spaceOf(params);
      const results = [];
      for (let pair = 0; pair < pairs; pair++) {
        state = 1;
        const study = await createStudy({ sampler: create(1) });
        await study.addTrials(trialsOf(space, n));
        const ours = await suggestionMs(study, space, optuna.suggestions);
        await study.close();
        const output = execFileSync(
          python,
          ['bench/optuna_samplers.py', optuna.name, n, params, optuna.suggestions].map(String),
          { env: { ...process.env, OMP_NUM_THREADS: '1' }, encoding: 'utf8' },
        );
        results.push({ ours, theirs: Number(output) });
      }
      console.log(
        `${name}, ${n} trials, ${params} parameters: ours ${show(median(results.map((r) => r.ours)))} ms, Optuna ${show(median(results.map((r) => r.theirs)))} ms, ratio ${show(median(results.map((r) => r.theirs / r.ours)))}`,
      );
    }
  }
}

for (const [name, sampler] of Object.entries(SAMPLERS)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  if (parts.length === 0 || parts.includes('curve')) await curve(name, sampler);
  if (parts.length === 0 || parts.includes('pairs')) await paired(name, sampler);
}
