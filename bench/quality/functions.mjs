// Search quality on functions (problems.mjs): for each the median over seeds of what is missing to the optimum after k trials, lower is
// better, beside what Optuna's samplers reached (optuna-functions.json, by optuna_functions.py).
// node bench/quality/functions.mjs [--seeds 10] [--trials 100] [--only name] [--json file] [sampler …]      needs: npm run build
import { readFileSync, writeFileSync } from 'node:fs';

import * as resweep from '../../dist/index.js';
import { noise, problems } from './problems.mjs';

const { AutoSampler, CmaEsSampler, createStudy, getHypervolume, GPSampler, RandomSampler, TPESampler } = resweep;
const CHECKPOINTS = [25, 50, 100, 200];
const args = process.argv.slice(2);
const seeds = Number(option('--seeds') ?? 10);
const trials = Number(option('--trials') ?? 100);
const only = option('--only');
const json = option('--json');
const samplers = {
  auto: (seed) => new AutoSampler({ seed }),
  gp: (seed) => new GPSampler({ seed, warnIndependentSampling: false }),
  cmaes: CmaEsSampler && ((seed) => new CmaEsSampler({ seed })),
  tpe: (seed) => new TPESampler({ seed }),
  random: (seed) => new RandomSampler({ seed }),
};
const names = args.filter((arg) => !arg.startsWith('--'));
const recorded = JSON.parse(readFileSync(new URL('optuna-functions.json', import.meta.url))).results;

function option(name) {
  const at = args.indexOf(name);
  return at < 0 ? undefined : args.splice(at, 2)[1];
}

async function sweep(name, sampler, seed) {
  const { at, optimum, reference, noise: level = 0 } = problems[name];
  const study = await createStudy({ sampler, directions: (reference ?? [0]).map(() => 'minimize') });
  const found = {};
  let best = Infinity;
  let milliseconds = 0;
  for (let k = 1; k <= trials; k++) {
    const start = performance.now();
    const trial = await study.ask();
    const value = at(trial);
    milliseconds += performance.now() - start;
    const isFeasible = Object.values(trial.constraints ?? {}).every((own) => own <= 0);
    // What is judged is the function without its noise, at what was tried.
    if (isFeasible && reference === undefined) best = Math.min(best, value);
    await study.tell(trial, level === 0 ? value : value + level * noise(seed, k));
    if (!CHECKPOINTS.includes(k)) continue;
    found[k] = reference === undefined ? best - optimum : optimum - (await getHypervolume(study, reference));
  }
  await study.close();
  return { found, milliseconds: milliseconds / trials };
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const show = (value) => value.toPrecision(3);
const results = {};
for (const name of Object.keys(problems)) {
  if (only !== undefined && name !== only) continue;
  console.log(name);
  for (const sampler of names.length > 0 ? names : Object.keys(samplers)) {
    if (samplers[sampler] === undefined) continue;
    if (sampler === 'cmaes' && problems[name].reference !== undefined) continue;
    const runs = [];
    for (let seed = 0; seed < seeds; seed++) runs.push(await sweep(name, samplers[sampler](seed), seed));
    const scores = Object.fromEntries(
      CHECKPOINTS.filter((k) => k <= trials).map((k) => [k, median(runs.map(({ found }) => found[k]))]),
    );
    (results[name] ??= {})[sampler] = scores;
    const text = Object.entries(scores).map(([k, score]) => `@${k} ${show(score)}`);
    console.log(`  ${sampler}: ${text.join(', ')}; ${show(median(runs.map((run) => run.milliseconds)))} ms`);
  }
  for (const [sampler, { scores, seeds: count }] of Object.entries(recorded[name] ?? {})) {
    const text = Object.entries(scores).map(([k, score]) => `@${k} ${show(score ?? Infinity)}`);
    console.log(`  Optuna ${sampler}: ${text.join(', ')} (${count} seeds)`);
  }
}
if (json !== undefined) writeFileSync(json, `${JSON.stringify({ seeds, results }, null, 2)}\n`);
