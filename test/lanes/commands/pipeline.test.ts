import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const MAIN = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));
const DATA = fileURLToPath(new URL('../../../data/digits.csv.gz', import.meta.url));

interface Stage {
  readonly stage: string;
  readonly status: string;
  readonly outputs: readonly string[];
  readonly restored: readonly string[];
  readonly backedUp: readonly string[];
  readonly error?: string;
}

const CONFIG = `study: digits
backbone: mlp
metric: { name: val_accuracy, goal: maximize }
trials: 3
sampler: { type: random, seed: 1 }
pruner: nop
backend: wasm
parameters: { learning_rate: { min: 1e-3, max: 1e-2, log: true }, units: { min: 8, max: 24, step: 8 } }
objective: { type: tfjs, trainer: mlp-classifier, epochs: 2, layers: 1, data: { path: data/digits.csv.gz, target: last, test: 0.2 } }
backup: { destinations: [{ name: disk, type: folder, path: backups }] }
benchmark: { top: 2, batch_sizes: [1, 16], warmup: 2, repeats: 5 }
select: { within: 50%, then: minimize latency_p50 }
final: { epochs: 3, seeds: 2 }
`;

describe('the stages after the sweep', () => {
  let folder: string;
  const run = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
      cwd: folder,
      encoding: 'utf8',
      timeout: 120_000,
    });
    return { code: status, stdout, stderr };
  };
  const pipeline = (...args: string[]): readonly Stage[] => {
    const { stdout, stderr } = run('pipeline', 'sweep.yaml', '--json', ...args);
    expect(stdout, stderr).toMatch(/^\{/);
    return (JSON.parse(stdout) as { stages: Stage[] }).stages;
  };
  const read = (path: string): Record<string, unknown> =>
    JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'resweep-pipeline-'));
    mkdirSync(join(folder, 'data'));
    copyFileSync(DATA, join(folder, 'data', 'digits.csv.gz'));
    writeFileSync(join(folder, 'package.json'), '{}');
    writeFileSync(join(folder, 'sweep.yaml'), CONFIG);
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('says what is missing, where it looked, and which command makes it', () => {
    const benchmark = run('benchmark', 'sweep.yaml');
    expect(benchmark.code).toBe(1);
    expect(benchmark.stderr).toMatch(
      /The study of sweep\.yaml is nowhere\. Looked at: .*study\.db, the destination disk/,
    );
    expect(JSON.parse(run('train', 'sweep.yaml', '--json').stdout)).toMatchObject({ stage: 'train', status: 'failed' });
  });

  let first: readonly Stage[];
  it('run one after the other, each backed up', () => {
    first = pipeline();
    expect(first.map(({ stage, status }) => `${stage} ${status}`)).toEqual([
      'hpo done',
      'benchmark done',
      'select done',
      'train done',
      'convert done',
    ]);
    const [, benchmark, select, train, convert] = first;
    expect(benchmark?.outputs).toHaveLength(2);
    expect(read(benchmark?.outputs[0] ?? '')).toMatchObject({
      backend: 'wasm',
      latency: { p50: expect.any(Number), p99: expect.any(Number) },
      throughput: { '1': expect.any(Number), '16': expect.any(Number) },
      machine: { cores: expect.any(Number) },
    });
    expect(read(select?.outputs[0] ?? '')).toMatchObject({
      isBestOfAll: true,
      reason: expect.stringContaining('latency_p50'),
    });
    expect(read(join(train?.outputs[0] ?? '', 'metrics.json'))).toMatchObject({
      test_accuracy: expect.any(Number),
      standard_deviations: { test_accuracy: expect.any(Number) },
      epochs: 3,
    });
    expect(read(join(convert?.outputs[0] ?? '', 'conversion.json'))).toMatchObject({ checked: { rows: 32 } });
    expect(readdirSync(convert?.outputs[0] ?? '')).toContain('model.onnx');
    for (const { stage, backedUp } of first.slice(1)) expect(backedUp.length, stage).toBeGreaterThan(0);
    expect(run('backup', 'verify', 'sweep.yaml')).toMatchObject({ code: 0 });
  });

  it('are skipped where everything is there, and say so', () => {
    expect(pipeline().map(({ status }) => status)).toEqual(new Array(5).fill('skipped'));
    expect(run('train', 'sweep.yaml').stdout).toContain('was there already, complete and for the same inputs');
  });

  it('come back from the backup on an empty machine', () => {
    const metrics = readFileSync(join(first[3]?.outputs[0] ?? '', 'metrics.json'), 'utf8');
    rmSync(join(folder, 'outputs'), { recursive: true });
    const again = pipeline();
    expect(again.map(({ status }) => status)).toEqual(new Array(5).fill('skipped'));
    expect(again.map(({ outputs }) => outputs)).toEqual(first.map(({ outputs }) => outputs));
    expect(again[3]?.restored).toHaveLength(1);
    expect(readFileSync(join(first[3]?.outputs[0] ?? '', 'metrics.json'), 'utf8')).toBe(metrics);
    // The sweep goes on from the copies that the stages left, on the same history.
    const { stdout, stderr } = run('run', 'sweep.yaml');
    expect(stdout + stderr).not.toContain('another history');
    expect(run('backup', 'verify', 'sweep.yaml')).toMatchObject({ code: 0 });
  });

  it('come back for whoever only looks: a report of a study that was lost shows them', () => {
    rmSync(join(folder, 'outputs'), { recursive: true });
    const { code, stderr } = run('report', 'sweep.yaml', '--out', 'report.html');
    expect(code, stderr).toBe(0);
    for (const path of first.slice(1).flatMap(({ outputs }) => outputs)) expect(existsSync(path), path).toBe(true);
    const page = readFileSync(join(folder, 'report.html'), 'utf8');
    for (const word of ['Selection', 'Benchmark', 'Final training', 'Conversion']) expect(page).toContain(word);
  });

  it('a stage alone restores what it needs: the model alone, then the whole training', () => {
    const model = join(first[3]?.outputs[0] ?? '', 'model');
    rmSync(join(folder, 'outputs', 'conversion'), { recursive: true });
    rmSync(join(folder, 'backups', 'outputs', 'conversion'), { recursive: true, force: true });
    rmSync(dirname(model), { recursive: true });
    const { code, stdout } = run('convert', 'sweep.yaml', '--force', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ status: 'done' });
    expect(existsSync(model)).toBe(true);
  });

  it('notice other rules, and choose anew', () => {
    const changed = run('select', 'sweep.yaml', '--set', 'select={}', '--json');
    expect(JSON.parse(changed.stdout)).toMatchObject({ status: 'done' });
    expect(read(first[2]?.outputs[0] ?? '')['reason']).toMatch(/^best val_accuracy/);
    const wrong = run('select', 'sweep.yaml', '--set', 'select.then=minimize latncy_p50', '--json');
    expect(wrong.code).toBe(1);
    expect(JSON.parse(wrong.stdout)).toMatchObject({ error: expect.stringContaining('Did you mean "latency_p50"?') });
  });

  it('work without any destination, and without noise', () => {
    const { code, stdout, stderr } = run(
      'pipeline',
      'sweep.yaml',
      '--set',
      'study=alone',
      '--set',
      'backup={}',
      '--set',
      'trials=2',
    );
    expect(code, stderr).toBe(0);
    expect(stdout).not.toMatch(/back(ed)? ?up|restored/i);
  });
});
