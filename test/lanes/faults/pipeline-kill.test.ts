/* All stages through the built command, on a machine that dies in each of them, with and without its disk. */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
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
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../../..');
const MAIN = join(ROOT, 'dist/cli/main.js');

const CONFIG = `study: digits
backbone: mlp
metric: { name: val_accuracy, goal: maximize }
trials: 3
sampler: { type: random, seed: 1 }
pruner: nop
backend: wasm
parameters: { learning_rate: { min: 1e-3, max: 1e-2, log: true } }
objective: { type: tfjs, trainer: mlp-classifier, epochs: 5, layers: 2, units: 64, dropout: 0.2, data: { path: data/digits.csv.gz, target: last, test: 0.2 } }
checkpoint: { every: 1s }
backup: { destinations: [{ name: disk, type: folder, path: backups }] }
benchmark: { top: 2, batch_sizes: [1, 16], warmup: 5, repeats: 200 }
final: { epochs: 25, seeds: 2 }
`;

function makeMachine(): string {
  const folder = mkdtempSync(join(tmpdir(), 'resweep-pipeline-kill-'));
  mkdirSync(join(folder, 'data'));
  copyFileSync(join(ROOT, 'data/digits.csv.gz'), join(folder, 'data/digits.csv.gz'));
  writeFileSync(join(folder, 'package.json'), '{}');
  writeFileSync(join(folder, 'sweep.yaml'), CONFIG);
  return folder;
}

function runToEnd(folder: string): { stage: string; status: string; error?: string }[] {
  const { stdout, stderr } = spawnSync(process.execPath, [MAIN, 'pipeline', 'sweep.yaml', '--json'], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 180_000,
  });
  expect(stdout, stderr).toMatch(/^\{"stages"/);
  return (JSON.parse(stdout) as { stages: { stage: string; status: string }[] }).stages;
}

function find(folder: string, name: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith(name))
    .map((path) => join(folder, path));
}

/** What must not depend on how often the machine died: trials, choice, weights of the final model, its ONNX file. */
function essence(folder: string): Record<string, string | number> {
  const outputs = join(folder, 'outputs');
  const hash = (path: string | undefined): string =>
    path === undefined ? 'missing' : createHash('sha256').update(readFileSync(path)).digest('hex').slice(0, 12);
  const [selection = ''] = find(join(outputs, 'best_configuration'), '.json');
  const { params } = JSON.parse(readFileSync(selection, 'utf8')) as { params: object };
  const training = join(outputs, 'final_training');
  const [metrics = ''] = find(training, '/metrics.json').filter((path) => !path.includes('seed-'));
  const { test_accuracy: accuracy } = JSON.parse(readFileSync(metrics, 'utf8')) as { test_accuracy: number };
  return {
    chosen: JSON.stringify(params),
    accuracy,
    model: hash(find(training, 'model/weights.bin').find((path) => !path.includes('seed-'))),
    onnx: hash(find(join(outputs, 'conversion'), 'model.onnx')[0]),
  };
}

describe('a pipeline whose machine dies in every stage', () => {
  let expected: Record<string, string | number>;
  const folders: string[] = [];
  const machine = (): string => {
    const folder = makeMachine();
    folders.push(folder);
    return folder;
  };
  beforeAll(() => {
    const folder = machine();
    runToEnd(folder);
    expected = essence(folder);
  });
  afterAll(() => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });

  /** Kills the command once `isThere` holds, and a moment later. */
  async function killAt(folder: string, isThere: () => boolean, laterMs: number): Promise<void> {
    const child = spawn(process.execPath, [MAIN, 'pipeline', 'sweep.yaml', '--quiet'], {
      cwd: folder,
      stdio: 'ignore',
      detached: true,
    });
    const ended = new Promise<void>((done) => child.once('close', () => done()));
    while (child.exitCode === null && !isThere()) await new Promise((done) => setTimeout(done, 20));
    await new Promise((done) => setTimeout(done, laterMs));
    child.kill('SIGKILL');
    await ended;
  }

  it.each([
    ['with its disk', false],
    ['its disk is lost each time', true],
  ])('%s: the end is the same', async (_name, losesDisk) => {
    const folder = machine();
    const events = (): string =>
      find(join(folder, 'outputs'), 'events.jsonl')
        .map((path) => readFileSync(path, 'utf8'))
        .join('');
    const count = (text: string): number => events().split(text).length - 1;
    const lose = (): void => {
      if (losesDisk) rmSync(join(folder, 'outputs'), { recursive: true, force: true });
    };
    // Within the sweep, after its first trial.
    await killAt(folder, () => count('"trial-ended"') >= 1, 150);
    lose();
    for (const [stage, laterMs] of [
      ['benchmark', 300],
      ['select', 1],
      ['train', 1_500],
      ['train', 2_500],
      ['convert', 30],
    ] as const) {
      const before = count(`"stage": "${stage}"`);
      await killAt(folder, () => count(`"stage": "${stage}"`) > (losesDisk ? 0 : before), laterMs);
      lose();
    }
    const stages = runToEnd(folder);
    expect(stages.map(({ stage, error }) => `${stage} ${error ?? ''}`.trim())).toEqual([
      'hpo',
      'benchmark',
      'select',
      'train',
      'convert',
    ]);
    expect(essence(folder)).toEqual(expected);
  });

  it('a training that is interrupted by a signal goes on from its checkpoint', async () => {
    const folder = machine();
    // Long enough for several checkpoints also on a fast machine.
    const config = CONFIG.replace('final: { epochs: 25', 'final: { epochs: 60').replace('every: 1s', 'every: 200ms');
    writeFileSync(join(folder, 'sweep.yaml'), config);
    runToEnd(folder);
    const uninterrupted = essence(folder);
    rmSync(join(folder, 'outputs', 'final_training'), { recursive: true });
    rmSync(join(folder, 'outputs', 'conversion'), { recursive: true });
    rmSync(join(folder, 'backups'), { recursive: true });
    const child = spawn(process.execPath, [MAIN, 'train', 'sweep.yaml', '--verbose'], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let output = '';
    child.stdout.on('data', (data: Buffer) => (output += data.toString()));
    const ended = new Promise<number | null>((done) => child.once('close', (code) => done(code)));
    while (child.exitCode === null && !output.includes('Checkpoint saved'))
      await new Promise((done) => setTimeout(done, 20));
    child.kill('SIGTERM');
    expect(await ended).toBe(143);
    const again = spawnSync(process.execPath, [MAIN, 'train', 'sweep.yaml', '--verbose'], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect(again.status, again.stderr).toBe(0);
    expect(again.stdout).toMatch(/Going on from the checkpoint after epoch \d+/);
    runToEnd(folder);
    expect(essence(folder)).toEqual(uninterrupted);
  });
});
