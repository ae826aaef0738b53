import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { wandbArguments, wandbConfig } from '../../src/runner/wandb-protocol.js';

const PARAMS = { lr: 0.1, 'opt.kind': "a'b", 'opt.deep.on': true, none: null, layers: '[64,64]', off: false };

describe('arguments for a program of W&B', () => {
  test('nested parameters are one, in the words of Python', () => {
    expect(wandbConfig(PARAMS)).toEqual({
      lr: 0.1,
      opt: { kind: "a'b", deep: { on: true } },
      none: null,
      layers: [64, 64],
      off: false,
    });
    expect(wandbArguments('args', PARAMS)).toEqual([
      '--lr=0.1',
      `--opt={'kind': "a'b", 'deep': {'on': True}}`,
      '--none=None',
      '--layers=[64, 64]',
      '--off=False',
    ]);
    expect(wandbArguments('args_no_hyphens', { a: 1 })).toEqual(['a=1']);
    expect(wandbArguments('args_no_boolean_flags', { on: true, off: false, a: 1 })).toEqual(['--on', '--a=1']);
  });
});

describe('the Python module wandb', () => {
  const python = (program: string) => {
    const { stdout, stderr, status } = spawnSync('python3', ['-c', program], {
      encoding: 'utf8',
      env: {
        PATH: process.env['PATH'],
        PYTHONPATH: join(import.meta.dirname, '..', '..', 'python', 'wandb_protocol'),
        RESWEEP_METRICS: '[{"name": "loss", "direction": "minimize"}]',
        RESWEEP_WANDB_CONFIG: '{"lr": 0.5, "opt": {"kind": "sgd"}}',
      },
    });
    const lines = stdout.trim() === '' ? [] : stdout.trim().split('\n');
    return { lines: lines.map((line): unknown => JSON.parse(line)), stderr, status };
  };

  test('gives the parameters, reports the metric, and ends with the summary', () => {
    const { lines } = python(`
import argparse, wandb
run = wandb.init(project="p", config=argparse.Namespace(lr=9, epochs=2))
assert wandb.config.lr == 0.5 and run.config["opt"]["kind"] == "sgd" and wandb.config.epochs == 2
wandb.config.update({"lr": 1, "extra": 3}); assert wandb.config.lr == 0.5 and "extra" in wandb.config
wandb.watch(None); wandb.log({"picture": wandb.Image("x"), "table": wandb.Table(columns=["a"])})
for epoch in range(wandb.config.epochs):
    wandb.log({"loss": 1.0 / (epoch + 1), "train": {"acc": epoch}})
`);
    expect(lines).toEqual([
      { step: 1, value: 1 },
      { step: 2, value: 0.5 },
      { loss: 0.5, 'train.acc': 1 },
    ]);
  });

  test('keeps the best value where the program asks for it', () => {
    const { lines } = python(`
import wandb
with wandb.init() as run:
    run.define_metric("loss", summary="min")
    for value in (3, 1, 2): run.log({"loss": value})
`);
    expect(lines.at(-1)).toEqual({ loss: 1 });
  });

  test('gives no result where the program failed, and names a metric that was never logged', () => {
    const failed = python('import wandb\nwandb.init(); wandb.log({"loss": 1}); raise ValueError("broken")');
    expect(failed).toMatchObject({ lines: [{ step: 1, value: 1 }], status: 1 });
    const missing = python('import wandb\nwandb.init(); wandb.log({"acc": 1})');
    expect(missing.lines).toEqual([]);
    expect(missing.stderr).toContain('The metric loss was never logged; logged was acc.');
    expect(python('import wandb\nwandb.agent("x")').stderr).toContain('resweep runs the sweep itself');
  });
});
