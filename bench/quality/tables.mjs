// Search quality on published tables of training results (see README.md here). One line per sampler: the geometric mean over tables
// and seeds of the share of the table that is still better than the best found after k trials (lower is better), and the time of a
// suggestion.
// With --optuna, Optuna's RandomSampler and TPESampler in the same run, from the same seeds.
// node bench/quality/tables.mjs [--seeds 20] [--first 1000] [--trials 100] [--tables folder] [--each] [--optuna] [--json file] [sampler …]
// needs: npm run build; for --optuna a Python with optuna (RESWEEP_PYTHON)
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

import { AutoSampler, createStudy, GPSampler, RandomSampler, TPESampler } from '../../dist/index.js';

const CHECKPOINTS = [25, 40, 50, 100];
const GOALS = { 25: 0.002, 40: 0.00029, 50: 0.00015, 100: 0.00006 };
const args = process.argv.slice(2);
const seeds = Number(option('--seeds') ?? 20);
const first = Number(option('--first') ?? 1000);
const trials = Number(option('--trials') ?? 100);
const folder = option('--tables') ?? join(import.meta.dirname, 'tables');
const json = option('--json');
const isEach = args.includes('--each');
const samplers = {
  auto: (seed) => new AutoSampler({ seed }),
  gp: (seed) => new GPSampler({ seed, warnIndependentSampling: false }),
  tpe: (seed) => new TPESampler({ seed }),
  random: (seed) => new RandomSampler({ seed }),
};
const names = args.filter((arg) => !arg.startsWith('--'));

function option(name) {
  const at = args.indexOf(name);
  return at < 0 ? undefined : args.splice(at, 2)[1];
}

function load(file) {
  const table = JSON.parse(gunzipSync(readFileSync(join(folder, file))));
  const sign = table.direction === 'maximize' ? -1 : 1;
  const losses = Float64Array.from(table.values, (value) => (value === null ? Infinity : sign * value));
  return { name: file.replace('.json.gz', ''), ...table, losses, sorted: losses.slice().sort() };
}

/** Share of the table that is strictly better. */
function shareBetter(table, loss) {
  let low = 0;
  let high = table.sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (table.sorted[middle] < loss) low = middle + 1;
    else high = middle;
  }
  return low / table.sorted.length;
}

async function sweep(table, sampler) {
  const study = await createStudy({ sampler });
  const found = [];
  let best = Infinity;
  let milliseconds = 0;
  for (let k = 1; k <= trials; k++) {
    const start = performance.now();
    const trial = await study.ask();
    let index = 0;
    for (const { name, kind, choices } of table.params) {
      const at =
        kind === 'ordinal'
          ? trial.suggestInt(name, 0, choices.length - 1)
          : choices.indexOf(trial.suggestCategorical(name, choices));
      index = index * choices.length + at;
    }
    milliseconds += performance.now() - start;
    const loss = table.losses[index];
    best = Math.min(best, loss);
    await study.tell(trial, loss);
    found[k] = shareBetter(table, best) + 1 / table.losses.length;
  }
  await study.close();
  return { found, milliseconds: milliseconds / trials };
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const geometric = (values) => Math.exp(mean(values.map(Math.log)));
const show = (value) => value.toPrecision(3);

const tables = readdirSync(folder)
  .filter((file) => file.endsWith('.json.gz'))
  .map(load);
const recorded = {};
for (const name of names.length > 0 ? names : Object.keys(samplers)) {
  const results = [];
  for (const table of tables) {
    const own = [];
    for (let seed = first; seed < first + seeds; seed++) own.push(await sweep(table, samplers[name](seed)));
    results.push(...own);
    if (isEach)
      console.log(
        `  ${name} ${table.name}: ${CHECKPOINTS.filter((k) => k <= trials)
          .map((k) => `@${k} ${show(geometric(own.map(({ found }) => found[k])))}`)
          .join(', ')}; ${show(mean(own.map(({ milliseconds }) => milliseconds)))} ms`,
      );
  }
  const scores = CHECKPOINTS.filter((k) => k <= trials).map((k) => {
    const score = geometric(results.map(({ found }) => found[k]));
    return `@${k} ${show(score)}${name === 'auto' ? ` (goal <= ${GOALS[k]})` : ''}`;
  });
  const curve = Array.from({ length: trials }, (_, i) => geometric(results.map(({ found }) => found[i + 1])));
  recorded[name] = { seeds, first, curve };
  console.log(
    `${name}: ${scores.join(', ')}; ${show(mean(results.map(({ milliseconds }) => milliseconds)))} ms per suggestion; ${tables.length} tables, ${seeds} seeds`,
  );
}
if (args.includes('--optuna')) {
  const script = join(import.meta.dirname, 'optuna_tables.py');
  const rest = [
    '--tables',
    folder,
    '--samplers',
    'RandomSampler',
    'TPESampler',
    '--seeds',
    `${seeds}`,
    '--first',
    `${first}`,
  ];
  execFileSync(process.env.RESWEEP_PYTHON ?? 'python3', [script, ...rest, '--no-file'], { stdio: 'inherit' });
}
if (json !== undefined)
  writeFileSync(json, `${JSON.stringify({ tables: tables.map(({ name }) => name), samplers: recorded }, null, 1)}\n`);
