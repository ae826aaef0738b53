import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import {
  executeConversion,
  executeFinalTraining,
  runBenchmarkingLocal,
  runLocalHpoSweep,
  runPipeline,
  selectBestConfiguration,
} from '../../src/app/stages/stages.js';
import type { StageFunctionOptions } from '../../src/app/stages/stage-session.js';
import { createDrive, createDestination, type Drive } from '../../src/backup/index.js';
import { SqliteSnapshotSource } from '../../src/storage/rdb/sqlite-snapshot.js';

const CONFIG = `study: digits
backbone: mlp
metric: { name: val_accuracy, goal: maximize }
trials: 2
sampler: { type: random, seed: 1 }
pruner: nop
backend: wasm
parameters: { learning_rate: { min: 1e-3, max: 1e-2, log: true } }
objective: { type: tfjs, trainer: mlp-classifier, epochs: 2, layers: 1, units: 8, data: { path: data/digits.csv.gz, target: last, test: 0.2 } }
benchmark: { top: 1, batch_sizes: [1], warmup: 1, repeats: 3 }
final: { epochs: 2 }
`;

/** A machine on which every stage has run, with a folder as its destination. */
describe('stages when backups and files misbehave', () => {
  let whole: string;
  let folder: string;
  let config: string;
  const drives: Drive[] = [];
  const warnings: string[] = [];
  const quiet = { warn: (text: string) => void warnings.push(text) };

  function driveOf(root: string): Drive {
    const destination = createDestination('folder', { path: 'backups' }, { name: 'disk', projectRoot: root });
    const drive = createDrive({
      projectRoot: root,
      destinations: [destination],
      snapshotSource: new SqliteSnapshotSource(),
      log: { info: () => undefined, warn: quiet.warn },
    });
    drives.push(drive);
    return drive;
  }
  const withDrive = (drive: Drive): StageFunctionOptions => ({
    backupToDrive: drive.backupToDrive,
    restoreFromDrive: drive.restoreFromDrive,
    log: quiet,
    observer: { message: (level, text) => (level === 'info' ? undefined : warnings.push(text)) },
  });

  beforeAll(async () => {
    whole = mkdtempSync(join(tmpdir(), 'resweep-stages-'));
    mkdirSync(join(whole, 'data'));
    copyFileSync(
      fileURLToPath(new URL('../../data/digits.csv.gz', import.meta.url)),
      join(whole, 'data', 'digits.csv.gz'),
    );
    writeFileSync(join(whole, 'package.json'), '{}');
    writeFileSync(join(whole, 'sweep.yaml'), CONFIG);
    const { stages } = await runPipeline(join(whole, 'sweep.yaml'), withDrive(driveOf(whole)));
    expect(stages.map(({ stage, status, error }) => `${stage} ${status} ${error ?? ''}`.trim())).toEqual(
      ['hpo', 'benchmark', 'select', 'train', 'convert'].map((stage) => `${stage} done`),
    );
    for (const drive of drives.splice(0)) await drive.close();
  }, 60_000);
  afterAll(() => {
    rmSync(whole, { recursive: true, force: true });
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'resweep-stages-'));
    cpSync(whole, folder, { recursive: true });
    config = join(folder, 'sweep.yaml');
    warnings.length = 0;
  });
  afterEach(async () => {
    for (const drive of drives.splice(0)) await drive.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const lose = (...parts: string[]): void => {
    rmSync(join(folder, 'outputs', ...parts), { recursive: true, force: true });
  };

  it('without callbacks nothing changes: no copy, no restore, no word', async () => {
    rmSync(join(folder, 'backups'), { recursive: true });
    lose('final_training');
    const result = await executeFinalTraining(config, {
      observer: { message: (level, text) => (level === 'info' ? undefined : warnings.push(text)) },
    });
    expect(result).toMatchObject({ status: 'done', restored: [], backedUp: [] });
    expect(existsSync(join(folder, 'backups'))).toBe(false);
    expect(warnings).toEqual([]);
  });

  it('with backups switched off nothing is copied and nothing restored', async () => {
    lose('final_training');
    const result = await executeFinalTraining(config, { ...withDrive(driveOf(folder)), backupEnabled: false });
    expect(result).toMatchObject({ status: 'done', restored: [], backedUp: [] });
  });

  it('the study, its trials’ models and reports come back for the stage that needs them', async () => {
    lose();
    const drive = driveOf(folder);
    const benchmark = await runBenchmarkingLocal(config, withDrive(drive));
    expect(benchmark).toMatchObject({ status: 'skipped' });
    const select = await selectBestConfiguration(config, withDrive(drive));
    expect(select).toMatchObject({ status: 'skipped', restored: [expect.stringMatching(/study-[0-9a-f]{8}\.json$/)] });
    const convert = await executeConversion(config, { ...withDrive(drive), force: true });
    expect(convert).toMatchObject({ status: 'done', restored: [expect.stringMatching(/model$|spec-/)] });
    const again = await executeConversion(config, withDrive(drive));
    expect(again).toMatchObject({ status: 'skipped', restored: [] });
  });

  it.each([
    ['answers no', () => Promise.resolve(false)],
    ['fails', () => Promise.reject(new Error('the destination does not answer'))],
  ])('a restore that %s: the stage makes it again', async (_name, restoreFromDrive) => {
    lose('final_training');
    const result = await executeFinalTraining(config, { ...withDrive(driveOf(folder)), restoreFromDrive });
    expect(result).toMatchObject({ status: 'done', restored: [] });
    expect(result.backedUp).toHaveLength(1);
  });

  it.each([
    [
      'the quota is used up',
      () => Promise.resolve({ ok: false, error: 'quota exceeded', path: '', bytes: 0, verified: 'no' as const }),
    ],
    ['the destination times out', () => Promise.reject(new Error('no answer in 30 s'))],
  ])('%s: the stage is done, and says that it is not saved', async (_name, backupToDrive) => {
    lose('final_training');
    const result = await executeFinalTraining(config, {
      ...withDrive(driveOf(folder)),
      restoreFromDrive: undefined,
      backupToDrive,
    });
    expect(result).toMatchObject({ status: 'done', backedUp: [] });
    expect(warnings.join('\n')).toMatch(/Backup of .*spec-[0-9a-f]{8} failed: (quota exceeded|no answer in 30 s)/);
  });

  it('a corrupted backup is not restored; what it held is made again, the same', async () => {
    const training = join(folder, 'outputs', 'final_training');
    const before = readFileSync(join(folder, findFile(training, 'weights.bin')));
    lose('final_training');
    corrupt(join(folder, 'backups'));
    const result = await executeFinalTraining(config, withDrive(driveOf(folder)));
    expect(result).toMatchObject({ status: 'done', restored: [] });
    expect(readFileSync(join(folder, findFile(training, 'weights.bin'))).equals(before)).toBe(true);
  });

  it('a training of which the checkpoint is there only in part begins anew or goes on, and ends the same', async () => {
    const training = join(folder, 'outputs', 'final_training');
    const spec = dirname(join(folder, findFile(training, 'metrics.json')));
    const before = readFileSync(join(spec, 'model', 'weights.bin'));
    for (const name of ['metrics.json', 'training.json', 'result-0.json', 'model'])
      rmSync(join(spec, name), { recursive: true });
    mkdirSync(join(spec, 'checkpoint'), { recursive: true });
    writeFileSync(join(spec, 'checkpoint', 'state.json'), '{"half":');
    const result = await executeFinalTraining(config, { log: quiet });
    expect(result).toMatchObject({ status: 'done' });
    expect(readFileSync(join(spec, 'model', 'weights.bin')).equals(before)).toBe(true);
  });

  it('what is here wins over a newer backup, and that is said', async () => {
    const file = join(folder, findFile(join(folder, 'outputs', 'best_configuration'), 'json'));
    const drive = driveOf(folder);
    const original = readFileSync(file, 'utf8');
    writeFileSync(file, original.replace('"format": 1', '"format": 1, "newer": true'));
    await drive.backupToDrive(file, false);
    writeFileSync(file, original);
    const before = new Date(Date.now() - 3_600_000);
    utimesSync(file, before, before);
    expect(await selectBestConfiguration(config, withDrive(drive))).toMatchObject({ status: 'skipped', restored: [] });
    expect(readFileSync(file, 'utf8')).toBe(original);
    expect(warnings.join('\n')).toMatch(
      /study-[0-9a-f]{8}\.json is used as it is here, although disk has a newer copy/,
    );
  });

  it('goes on with a sweep by callbacks alone', async () => {
    lose();
    const drive = driveOf(folder);
    const result = await runLocalHpoSweep(config, { ...withDrive(drive), set: ['trials=3'] });
    expect(result).toMatchObject({ status: 'done' });
    lose();
    expect(await runLocalHpoSweep(config, { ...withDrive(drive), set: ['trials=3'] })).toMatchObject({
      status: 'skipped',
    });
  });

  it('takes an object in place of a file, and refuses a wrong one', async () => {
    await expect(selectBestConfiguration({ study: 'x', trails: 3 })).rejects.toThrow(/trails: unknown key/);
  });

  function findFile(under: string, name: string): string {
    const found = readdirSync(under, { recursive: true, encoding: 'utf8' }).find((path) =>
      basename(path).endsWith(name),
    );
    if (found === undefined) throw new Error(`no ${name} under ${under}`);
    return join(under.slice(folder.length + 1), found);
  }
});

/** Flips a byte in the middle of every file below. */
function corrupt(path: string): void {
  for (const name of readdirSync(path, { recursive: true, encoding: 'utf8' })) {
    const file = join(path, name);
    if (!statSync(file).isFile() || statSync(file).size === 0) continue;
    const bytes = readFileSync(file);
    const middle = Math.floor(bytes.length / 2);
    bytes[middle] = (bytes[middle] ?? 0) ^ 0xff;
    writeFileSync(file, bytes);
  }
}
