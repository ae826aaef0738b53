// Search quality on functions: continuous, integer, mixed, conditional, noisy, in many dimensions. Prints for each the median over
// seeds of the best value after k trials less the optimum.
// node bench/quality/functions.mjs [--seeds 10] [--trials 100] [--only name] [sampler …]      needs: npm run build
import { AutoSampler, createStudy, GPSampler, RandomSampler, TPESampler } from '../../dist/index.js';

const CHECKPOINTS = [25, 50, 100, 200];
const args = process.argv.slice(2);
const seeds = Number(option('--seeds') ?? 10);
const trials = Number(option('--trials') ?? 100);
const only = option('--only');
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

const floats = (trial, d, low, high) => Array.from({ length: d }, (_, i) => trial.suggestFloat(`x${i}`, low, high));
const sphere = (x, centre) => x.reduce((sum, value) => sum + (value - centre) ** 2, 0);

const A = [
  [10, 3, 17, 3.5, 1.7, 8],
  [0.05, 10, 17, 0.1, 8, 14],
  [3, 3.5, 1.7, 10, 17, 8],
  [17, 8, 0.05, 10, 0.1, 14],
];
const P = [
  [1312, 1696, 5569, 124, 8283, 5886],
  [2329, 4135, 8307, 3736, 1004, 9991],
  [2348, 1451, 3522, 2883, 3047, 6650],
  [4047, 8828, 8732, 5743, 1091, 381],
];
const ALPHA = [1, 1.2, 3, 3.2];

/** Each gives the value at a trial; `optimum` is its least value. None has it in the middle, where auto begins. */
const functions = {
  branin: {
    optimum: 0.39788735772973816,
    at: (trial) => {
      const x = trial.suggestFloat('x', -5, 10);
      const y = trial.suggestFloat('y', 0, 15);
      return (
        (y - (5.1 / (4 * Math.PI ** 2)) * x * x + (5 / Math.PI) * x - 6) ** 2 +
        10 * (1 - 1 / (8 * Math.PI)) * Math.cos(x) +
        10
      );
    },
  },
  hartmann6: {
    optimum: -3.322368011391339,
    at: (trial) => {
      const x = floats(trial, 6, 0, 1);
      return -ALPHA.reduce(
        (sum, alpha, i) =>
          sum + alpha * Math.exp(-x.reduce((inner, value, j) => inner + A[i][j] * (value - P[i][j] * 1e-4) ** 2, 0)),
        0,
      );
    },
  },
  rosenbrock5: {
    optimum: 0,
    at: (trial) => {
      const x = floats(trial, 5, -2, 2);
      let sum = 0;
      for (let i = 0; i + 1 < x.length; i++) sum += 100 * (x[i + 1] - x[i] ** 2) ** 2 + (1 - x[i]) ** 2;
      return sum;
    },
  },
  rastrigin4: {
    optimum: 0,
    at: (trial) =>
      floats(trial, 4, -5.12, 5.12).reduce((sum, value) => {
        const x = value - 1.1;
        return sum + 10 + x * x - 10 * Math.cos(2 * Math.PI * x);
      }, 0),
  },
  sphere50: { optimum: 0, at: (trial) => sphere(floats(trial, 50, -5, 5), 1.3) },
  integers8: {
    optimum: 0,
    at: (trial) =>
      Array.from({ length: 8 }, (_, i) => trial.suggestInt(`n${i}`, 0, 20)).reduce(
        (sum, n, i) => sum + (n - ((3 * i) % 17)) ** 2,
        0,
      ),
  },
  training: {
    // A made-up training: log-scaled learning rate and decay, units on a step, optimizer with a conditional momentum.
    optimum: 0,
    at: (trial) => {
      const optimizer = trial.suggestCategorical('optimizer', ['adam', 'sgd', 'rmsprop']);
      const rate = Math.log10(trial.suggestFloat('rate', 1e-5, 1, { log: true }));
      const decay = Math.log10(trial.suggestFloat('decay', 1e-6, 1e-1, { log: true }));
      const layers = trial.suggestInt('layers', 1, 4);
      let units = 0;
      for (let i = 0; i < layers; i++) units += trial.suggestInt(`units_${i}`, 16, 256, { step: 16 });
      const best = { adam: -3, sgd: -1, rmsprop: -3.4 }[optimizer];
      let loss =
        { adam: 0, sgd: 0.05, rmsprop: 0.1 }[optimizer] + 0.15 * (rate - best) ** 2 + 0.03 * (decay + 3.5) ** 2;
      if (optimizer === 'sgd') loss += (trial.suggestFloat('momentum', 0, 0.99) - 0.9) ** 2;
      return loss + 0.1 * (Math.log2(units / layers) - 7) ** 2 + 0.05 * (layers - 2) ** 2;
    },
  },
};

/** Uniform in [-1, 1] from a trial's number, the same for every sampler. */
const noise = (seed, number) => {
  let z = (seed * 7919 + number * 104729) | 0;
  z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
  return ((z ^ (z >>> 16)) >>> 0) / 2 ** 31 - 1;
};
functions.noisy6 = { ...functions.hartmann6, noise: 0.3 };

async function sweep(name, sampler, seed) {
  const { at, optimum, noise: level = 0 } = functions[name];
  const study = await createStudy({ sampler });
  const found = {};
  let best = Infinity;
  let milliseconds = 0;
  for (let k = 1; k <= trials; k++) {
    const start = performance.now();
    const trial = await study.ask();
    const value = at(trial);
    milliseconds += performance.now() - start;
    // What is judged is the function without its noise, at what was tried.
    best = Math.min(best, value);
    await study.tell(trial, value + level * noise(seed, k));
    if (CHECKPOINTS.includes(k)) found[k] = best - optimum;
  }
  await study.close();
  return { found, milliseconds: milliseconds / trials };
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const show = (value) => value.toPrecision(3);
for (const name of Object.keys(functions)) {
  if (only !== undefined && name !== only) continue;
  console.log(name);
  for (const sampler of names.length > 0 ? names : Object.keys(samplers)) {
    const results = [];
    for (let seed = 0; seed < seeds; seed++) results.push(await sweep(name, samplers[sampler](seed), seed));
    const found = CHECKPOINTS.filter((k) => k <= trials).map(
      (k) => `@${k} ${show(median(results.map((result) => result.found[k])))}`,
    );
    console.log(`  ${sampler}: ${found.join(', ')}; ${show(median(results.map((r) => r.milliseconds)))} ms`);
  }
}
