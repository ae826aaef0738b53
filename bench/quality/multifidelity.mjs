// Search quality where trials report as they go and may be pruned: a made-up training with learning curves that cross. Each run
// spends the same number of epochs; what is judged is what the best trial that was trained to its end lacks to the optimum, the median
// over seeds. With --optuna, Optuna's TPESampler with the same pruners in the same run.
// node bench/quality/multifidelity.mjs [--seeds 10] [--first 0] [--epochs 810] [--optuna] [--json file] [sampler …]
// needs: npm run build; for --optuna a Python with optuna (RESWEEP_PYTHON)
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import {
  AutoSampler,
  createStudy,
  HyperbandPruner,
  NopPruner,
  RandomSampler,
  SuccessiveHalvingPruner,
  TPESampler,
} from '../../dist/index.js';

const LONGEST = 27;
const args = process.argv.slice(2);
const seeds = Number(option('--seeds') ?? 10);
const first = Number(option('--first') ?? 0);
const budget = Number(option('--epochs') ?? 810);
const json = option('--json');
const checkpoints = [budget / 3, (2 * budget) / 3, budget];
const samplers = {
  auto: (seed) => new AutoSampler({ seed }),
  tpe: (seed) => new TPESampler({ seed }),
  random: (seed) => new RandomSampler({ seed }),
};
const pruners = {
  hyperband: () => new HyperbandPruner({ minResource: 1, maxResource: LONGEST, reductionFactor: 3 }),
  'successive-halving': () => new SuccessiveHalvingPruner({ minResource: 1, reductionFactor: 3 }),
  none: () => new NopPruner(),
};
const names = args.filter((arg) => !arg.startsWith('--'));

function option(name) {
  const at = args.indexOf(name);
  return at < 0 ? undefined : args.splice(at, 2)[1];
}

/** What a rate costs in the end and how fast it learns: large rates begin better. */
const ofRate = (rate) => 0.15 * (rate + 3) ** 2;
const speed = (rate) => 0.05 + 0.1 * (rate + 5);
const optimum = Math.min(
  ...Array.from({ length: 50_001 }, (_, i) => i / 10_000 - 5).map(
    (rate) => ofRate(rate) + Math.exp(-LONGEST * speed(rate)),
  ),
);

/** The loss after each epoch. The same in optuna_multifidelity.py. */
function training(trial) {
  const rate = Math.log10(trial.suggestFloat('rate', 1e-5, 1, { log: true }));
  const decay = Math.log10(trial.suggestFloat('decay', 1e-6, 1e-1, { log: true }));
  const layers = trial.suggestInt('layers', 1, 4);
  const units = trial.suggestInt('units', 16, 256, { step: 16 });
  const dropout = trial.suggestFloat('dropout', 0, 0.8);
  const end =
    ofRate(rate) +
    0.03 * (decay + 3.5) ** 2 +
    0.05 * (layers - 2) ** 2 +
    0.1 * (Math.log2(units) - 7) ** 2 +
    (dropout - 0.3) ** 2;
  return (epoch) => end + Math.exp(-epoch * speed(rate));
}

async function sweep(sampler, pruner, seed) {
  const study = await createStudy({
    sampler: samplers[sampler](seed),
    pruner: pruners[pruner](),
    studyName: `s${seed}`,
  });
  const found = {};
  let best = Infinity;
  for (let spent = 0; spent < budget;) {
    const trial = await study.ask();
    const loss = training(trial);
    let state = 'COMPLETE';
    let epoch = 0;
    while (epoch < LONGEST) {
      await trial.report(loss(++epoch), epoch);
      if (epoch < LONGEST && (await trial.shouldPrune())) {
        state = 'PRUNED';
        break;
      }
    }
    for (const k of checkpoints) if (spent < k && spent + epoch >= k) found[k] = best - optimum;
    spent += epoch;
    if (state === 'COMPLETE' && spent <= budget) best = Math.min(best, loss(LONGEST));
    await study.tell(trial, state === 'PRUNED' ? undefined : loss(LONGEST), { state });
  }
  found[budget] = best - optimum;
  await study.close();
  return found;
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const show = (value) => (value === null ? '–' : value.toPrecision(3));
const results = {};
function record(name, runs) {
  results[name] = Object.fromEntries(checkpoints.map((k) => [k, median(runs.map((found) => found[k] ?? Infinity))]));
  console.log(`${name}: ${checkpoints.map((k) => `@${k} epochs ${show(results[name][k])}`).join(', ')}`);
}

for (const pruner of Object.keys(pruners)) {
  for (const sampler of names.length > 0 ? names : Object.keys(samplers)) {
    const runs = [];
    for (let seed = first; seed < first + seeds; seed++) runs.push(await sweep(sampler, pruner, seed));
    record(`${sampler} + ${pruner}`, runs);
  }
}
if (args.includes('--optuna')) {
  const script = join(import.meta.dirname, 'optuna_multifidelity.py');
  const output = execFileSync(process.env.RESWEEP_PYTHON ?? 'python3', [script, `${first}`, `${seeds}`, `${budget}`], {
    encoding: 'utf8',
  });
  for (const [pruner, runs] of Object.entries(JSON.parse(output))) {
    record(
      `Optuna TPESampler + ${pruner}`,
      runs.map((best) => Object.fromEntries(checkpoints.map((k, i) => [k, (best[i] ?? Infinity) - optimum]))),
    );
  }
}
if (json !== undefined) writeFileSync(json, `${JSON.stringify({ seeds, first, results }, null, 2)}\n`);
