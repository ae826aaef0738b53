import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, it } from 'vitest';

import { configRegistry } from '../../src/app/studies/config-registry.js';
import { loadConfig } from '../../src/config/load-config.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'resweep-samplers-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

it.each([
  [
    'cma-es',
    'metrics: [{name: a, goal: minimize}, {name: b, goal: minimize}]',
    /cma-es is for a single metric, but there are 2/,
  ],
  ['grid', 'metric: {name: a, goal: minimize}', /grid goes through every value: give x a step/],
  ['brute-force', 'metric: {name: a, goal: minimize}', /brute-force goes through every value: give x a step/],
  ['{type: grid, search_space: {x: [0.5]}}', 'metric: {name: a, goal: minimize}', undefined],
  ['{type: nsga-ii, crossover: {type: sbx, alpha: 1}}', 'metric: {name: a, goal: minimize}', /alpha/],
  ['{type: cma-es, popsize: 1}', 'metric: {name: a, goal: minimize}', /popsize/],
  ['{type: qmc, qmc_type: lattice}', 'metric: {name: a, goal: minimize}', /qmc_type/],
  ['nsga', 'metric: {name: a, goal: minimize}', /nsga-ii/],
])('sampler %s under %s', async (sampler, metric, problem) => {
  const path = join(folder, 'sweep.yaml');
  writeFileSync(
    path,
    `study: s\nbackbone: none\ntrials: 3\nsampler: ${sampler}\n${metric}\nparameters: {x: {min: 0.0, max: 1.0}}\nobjective: {type: command, command: [echo, "\${x}"]}\n`,
  );
  const registry = await configRegistry();
  const load = (): unknown => loadConfig(path, { registry });
  if (problem === undefined) expect(load).not.toThrow();
  else expect(load).toThrow(problem);
});
