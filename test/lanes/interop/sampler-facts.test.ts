import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { parseJson, type JsonValue } from '../../../src/core/json.js';
import { GridSampler } from '../../../src/samplers/grid-sampler.js';
import { NSGAIISampler } from '../../../src/samplers/nsga-ii-sampler.js';
import { NSGAIIISampler } from '../../../src/samplers/nsga-iii-sampler.js';
import { createStudy, loadStudy } from '../../../src/study/create-study.js';
import type { Trial } from '../../../src/study/trial.js';

const python = process.env['RESWEEP_PYTHON'] ?? 'python3';
const golden = (name: string): string => new URL(`../../golden/${name}`, import.meta.url).pathname;
const run = (...args: readonly string[]): string =>
  execFileSync(python, args, { encoding: 'utf8', maxBuffer: 2 ** 28, env: { ...process.env, OMP_NUM_THREADS: '1' } });

/** The same within rounding: other processors round linear algebra another way, and so choose another one of two equally good subsets. */
function expectSame(actual: JsonValue, expected: JsonValue, path: string): void {
  // What a subset is worth is compared beside it.
  if (path.endsWith('.subset')) return;
  if (typeof actual === 'number' && typeof expected === 'number') {
    if (Object.is(actual, expected) || actual === expected) return;
    expect(Math.abs(actual - expected), path).toBeLessThan(1e-6 * Math.max(1, Math.abs(expected)));
  } else if (typeof actual === 'object' && typeof expected === 'object' && actual !== null && expected !== null) {
    expect(Object.keys(actual), path).toEqual(Object.keys(expected));
    for (const [key, value] of Object.entries(expected))
      expectSame((actual as Record<string, JsonValue>)[key] ?? null, value, `${path}.${key}`);
  } else expect(actual, path).toEqual(expected);
}

describe('recorded facts of samplers', () => {
  it.each([
    ['sampler-facts', [golden('sampler-facts.json')]],
    ['tpe-facts', []],
  ])('%s: real Optuna still computes what is recorded', (name, told) => {
    const recorded = parseJson(readFileSync(golden(`${name}.json`), 'utf8')) as Record<string, JsonValue>;
    const fresh = parseJson(run(golden(`make-${name}.py`), ...told)) as Record<string, JsonValue>;
    for (const [key, value] of Object.entries(recorded)) {
      if (['numpy', 'scipy'].includes(key)) continue;
      expectSame(fresh[key] ?? null, value, key);
    }
  });
});

const OPTUNA = `
import sys, warnings
import optuna
warnings.filterwarnings("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)
path, kind, n = sys.argv[1], sys.argv[2], int(sys.argv[3])
samplers = {
    "grid": lambda: optuna.samplers.GridSampler({"x": [1, 2, 3, 4], "c": ["a", "b", None]}),
    "nsga-ii": lambda: optuna.samplers.NSGAIISampler(population_size=5, seed=1),
    "nsga-iii": lambda: optuna.samplers.NSGAIIISampler(population_size=5, seed=1),
}
study = optuna.load_study(study_name="s", storage=f"sqlite:///{path}", sampler=samplers[kind]())
def objective(trial):
    x = trial.suggest_int("x", 1, 4)
    c = trial.suggest_categorical("c", ["a", "b", None])
    y = trial.suggest_float("y", 0, 1) if kind != "grid" else 0.0
    return x + (c is None) if kind == "grid" else (x + y, -x + (c is None))
study.optimize(objective, n_trials=n)
`;

describe('Optuna and resweep go on with one study', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'resweep-samplers-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  const point = (trial: Trial): [number, number] => {
    const x = trial.suggestInt('x', 1, 4);
    const c = trial.suggestCategorical('c', ['a', 'b', null]);
    return [x, c === null ? 1 : 0];
  };

  it('grid: each point once, whoever tries it', async () => {
    const path = join(folder, 'grid.db');
    const sampler = (): GridSampler => new GridSampler({ searchSpace: { x: [1, 2, 3, 4], c: ['a', 'b', null] } });
    const study = await createStudy({ storage: path, studyName: 's', sampler: sampler() });
    await study.optimize((trial) => point(trial)[0], { nTrials: 5 });
    await study.close();
    run('-c', OPTUNA, path, 'grid', '4');
    const again = await loadStudy({ storage: path, studyName: 's', sampler: sampler() });
    await again.optimize((trial) => point(trial)[0], { nTrials: 100 });
    const keys = (await again.trials()).map((trial) => JSON.stringify(trial.params));
    expect(keys).toHaveLength(12);
    expect(new Set(keys).size).toBe(12);
    await again.close();
  });

  it.each([
    ['nsga-ii', 'NSGAIISampler', NSGAIISampler],
    ['nsga-iii', 'NSGAIIISampler', NSGAIIISampler],
  ] as const)('%s: one generation after the other, whoever breeds it', async (kind, name, Genetic) => {
    const path = join(folder, `${kind}.db`);
    const directions = ['minimize', 'minimize'] as const;
    const objective = (trial: Trial): number[] => {
      const [x, none] = point(trial);
      return [x + trial.suggestFloat('y', 0, 1), -x + none];
    };
    const study = await createStudy({
      storage: path,
      studyName: 's',
      directions,
      sampler: new Genetic({ populationSize: 5 }),
    });
    await study.optimize(objective, { nTrials: 7 });
    await study.close();
    run('-c', OPTUNA, path, kind, '5');
    const again = await loadStudy({ storage: path, studyName: 's', sampler: new Genetic({ populationSize: 5 }) });
    await again.optimize(objective, { nTrials: 8 });
    const generations = (await again.trials()).map((trial) => trial.systemAttrs[`${name}:generation`]);
    expect(generations).toEqual(Array.from({ length: 20 }, (_, i) => Math.floor(i / 5)));
    await again.close();
    run('-c', OPTUNA, path, kind, '2');
  });
});
