// Milliseconds per suggestion, beside real Optuna's in one run, as pairs A B A B …; then how the cost grows with the trials.
// node bench/samplers.mjs [--pairs 3] [--curve-only] [--most 100000] [sampler …]
// needs: npm run build, a Python with optuna and cmaes (RESWEEP_PYTHON)
import { execFileSync } from 'node:child_process';

import { createStudy, createTrial, FloatDistribution, NopPruner } from '../dist/index.js';
import { samplerDefinitions } from '../build/samplers/sampler-registry.js';

const args = process.argv.slice(2);
const option = (name, standard) => {
  const at = args.indexOf(name);
  return at < 0 ? standard : Number(args.splice(at, 2)[1]);
};
const pairs = option('--pairs', 3);
const most = option('--most', 100_000);
const flagAt = args.indexOf('--curve-only');
const curveOnly = flagAt >= 0 && args.splice(flagAt, 1).length > 0;
const python = process.env.RESWEEP_PYTHON ?? 'python3';

/** Sampler, trials, parameters, goal in milliseconds. */
const cases = [
  ['cma-es', 1000, 10, 1],
  ['nsga-ii', 1000, 10, 1],
  ['nsga-iii', 1000, 10, undefined],
  ['qmc', 1000, 10, undefined],
  ['random', 1000, 10, undefined],
  ['tpe', 10_000, 2, 1],
  ['tpe', 10_000, 10, 5],
  ['auto', 200, 10, 10],
  ['gp', 30, 5, undefined],
  ['gp', 100, 10, undefined],
];
const SIZES = [100, 300, 1_000, 3_000, 10_000, 30_000, 100_000].filter((size) => size <= most);
/** Not in the curve: those that see a bounded number of trials, and one that is another sampler with values fixed. */
const NOT_HERE = ['auto', 'gp', 'partial-fixed'];
/** Optuna has none of the kind. */
const OURS_ALONE = ['auto'];
/** Their time depends on what there is to learn: they are told a bowl, a tenth of it noise; the others random numbers. */
const MODELS = ['auto', 'gp'];

function random(seed) {
  let state = seed;
  return () => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0), state / 2 ** 32);
}

const objectivesOf = (kind) => (kind === 'nsga-iii' ? 3 : kind === 'nsga-ii' || kind === 'tpe-several' ? 2 : 1);

function samplerOf(kind, params) {
  const type = kind === 'tpe-several' ? 'tpe' : kind;
  const definition = samplerDefinitions.find((candidate) => candidate.type === type);
  const schema = definition.schema.parse(
    kind === 'grid'
      ? { search_space: Object.fromEntries(Array.from({ length: params }, (_, i) => [`p${i}`, values(kind, params)])) }
      : {},
  );
  const camel = (key) => key.replace(/_([a-z0-9])/g, (_, letter) => letter.toUpperCase());
  return definition.create(Object.fromEntries(Object.entries(schema).map(([key, value]) => [camel(key), value])));
}

/** Values of a finite space that has room for every size. */
function values(kind, params) {
  const count = Math.ceil(200_000 ** (1 / params));
  return Array.from({ length: count }, (_, i) => i / 1024);
}

function distributionsFor(kind, params) {
  const list = values(kind, params);
  const isFinite = kind === 'grid' || kind === 'brute-force';
  const distribution = isFinite
    ? new FloatDistribution(0, list[list.length - 1], { step: 1 / 1024 })
    : new FloatDistribution(0, 1);
  return Object.fromEntries(Array.from({ length: params }, (_, i) => [`p${i}`, distribution]));
}

/** A study that grows; `measure` gives the lower quartile of the milliseconds of the next suggestions. */
async function growing(kind, params) {
  const next = random(1);
  const directions = new Array(objectivesOf(kind)).fill('minimize');
  const study = await createStudy({ directions, sampler: samplerOf(kind, params), pruner: new NopPruner(), seed: 1 });
  const distributions = distributionsFor(kind, params);
  const told = (trialParams) =>
    MODELS.includes(kind)
      ? [Object.values(trialParams).reduce((sum, x, i) => sum + (i + 1) * (x - 0.3) ** 2, 0.1 * next())]
      : directions.map(() => next());
  const isOwn = !['tpe', 'tpe-several', 'qmc', 'random', ...MODELS].includes(kind);
  let size = 0;
  return {
    async growTo(goal) {
      if (isOwn) {
        for (; size < goal; size++) await study.tell(await study.ask(distributions), told({}));
        return;
      }
      const templates = Array.from({ length: goal - size }, () => {
        const own = Object.fromEntries(Object.keys(distributions).map((name) => [name, next()]));
        return createTrial({ params: own, distributions, values: told(own) });
      });
      await study.addTrials(templates);
      size = goal;
    },
    async measure(repeats) {
      const times = [];
      for (let i = 0; i < repeats; i++) {
        const start = performance.now();
        const trial = await study.ask(distributions);
        times.push(performance.now() - start);
        await study.tell(trial, told(trial.params));
        size++;
      }
      return times.sort((a, b) => a - b)[times.length >> 2];
    },
  };
}

const median = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1];
const wanted = (kind) => args.length === 0 || args.includes(kind);

if (!curveOnly) {
  console.log('Milliseconds per suggestion, lower quartile; theirs: Optuna. Goal: ours at most.');
  for (const [kind, trials, params, goal] of cases.filter(([name]) => wanted(name))) {
    const ours = [];
    const theirs = [];
    for (let pair = 0; pair < pairs; pair++) {
      const study = await growing(kind, params);
      await study.growTo(trials);
      ours.push(await study.measure(60));
      if (OURS_ALONE.includes(kind)) continue;
      const output = execFileSync(python, ['bench/optuna_samplers.py', kind, `${trials}`, `${params}`, '15'], {
        encoding: 'utf8',
        env: { ...process.env, OMP_NUM_THREADS: '1' },
      });
      theirs.push(JSON.parse(output.trim().split('\n').at(-1)).quartile);
    }
    const beside =
      theirs.length === 0
        ? ''
        : `, theirs ${median(theirs).toFixed(3)}, ratio ${median(theirs.map((value, i) => value / ours[i])).toFixed(0)}`;
    const verdict = goal === undefined ? '' : `, goal ${goal}: ${median(ours) <= goal ? 'met' : 'NOT met'}`;
    console.log(`${kind}, ${trials} trials, ${params} parameters: ours ${median(ours).toFixed(3)}${beside}${verdict}`);
  }
}

console.log(`\nMilliseconds per suggestion with 5 parameters, lower quartile, by trials: ${SIZES.join(', ')}`);
const kinds = [...samplerDefinitions.map(({ type }) => type).filter((type) => !NOT_HERE.includes(type)), 'tpe-several'];
for (const kind of kinds.filter(wanted)) {
  const study = await growing(kind, 5);
  const curve = [];
  for (const size of SIZES) {
    await study.growTo(size);
    curve.push((await study.measure(size >= 10_000 ? 15 : 40)).toFixed(3));
  }
  console.log(`${kind}: ${curve.join(', ')}`);
}
