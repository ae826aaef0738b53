import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { CliProject } from '../../support/cli-project.js';

describe('looking deeper into a study', () => {
  let project: CliProject;
  beforeAll(() => {
    project = new CliProject();
    project.run('run', project.config, '--trials', '20');
  });
  afterAll(() => {
    project.remove();
  });

  it('tells which parameters matter, as table and as JSON', () => {
    const report = project.json<{
      study: string;
      evaluator: string;
      metric: string;
      complete: number;
      importances: Record<string, number>;
    }>('importance', project.config);
    expect(report).toMatchObject({ study: 'quadratic', evaluator: 'ped-anova', metric: 'loss', complete: 20 });
    expect(Object.keys(report.importances).sort()).toEqual(['kind', 'x', 'y']);
    expect(Object.values(report.importances).reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 9);
    const forest = project.json<typeof report>('importance', project.config, '--evaluator', 'fanova');
    expect(Object.keys(forest.importances)).toEqual(['x', 'kind']);
    const table = project.run('importance', project.config, '--evaluator', 'mdi', '--params', 'x,kind');
    expect(table.stdout).toMatch(/by mdi from 20 complete trials[^]*\nx +0\.\d{4} +█/);
    const wrong = project.run('importance', project.config, '--params', 'kinds');
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain('Did you mean "kind"?');
    expect(project.run('importance', project.config, '--evaluator', 'shap').code).toBe(2);
    expect(project.run('importance', '--help').stdout).toContain('fanova');
  });
});

describe('a W&B sweep file and the program it names, both as they are', () => {
  it('runs, prunes, and goes on', () => {
    const project = new CliProject();
    try {
      for (const name of ['sweep.yaml', 'train.py']) {
        copyFileSync(
          fileURLToPath(new URL(`../../../examples/wandb/${name}`, import.meta.url)),
          join(project.folder, name),
        );
      }
      const first = project.json<{ trials: Record<string, number>; best: { value: number; params: object } }>(
        ...['run', 'sweep.yaml', '--set', 'sampler.seed=1', '--trials', '10'],
      );
      expect(first.trials).toMatchObject({ total: 10, fail: 0 });
      expect(first.trials['pruned']).toBeGreaterThan(0);
      expect(Object.keys(first.best.params)).toEqual(['learning_rate', 'optimizer.momentum']);
      expect(project.json<typeof first>('run', 'sweep.yaml', '--trials', '12').trials).toMatchObject({ total: 12 });
      writeFileSync(
        join(project.folder, 'bad.yaml'),
        'method: bayes\nprogram: train.py\nmetric: {name: l}\nparameters: {x: {mim: 1}}\n',
      );
      const wrong = project.run('run', 'bad.yaml');
      expect(wrong.code).toBe(2);
      expect(wrong.stderr).toContain('bad.yaml:4:18: parameters.x.mim: unknown key');
    } finally {
      project.remove();
    }
  });
});
