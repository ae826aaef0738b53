// A project with a study of a given size, for bench/backup.mjs: made by a sweep of one trial, then filled with finished trials.
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { FloatDistribution, loadStudy, openStorage, runSweep } from '../dist/index.js';

const STEPS = 500;
const distributions = { x: new FloatDistribution(-5, 5), y: new FloatDistribution(0, 1) };

/** Configuration of a sweep whose trials take `seconds`; each sleeps that long and reports once. */
export function writeProject(root, { seconds, backup }) {
  mkdirSync(join(root, 'configs'), { recursive: true });
  writeFileSync(join(root, 'package.json'), '{"type":"module"}');
  writeFileSync(
    join(root, 'configs', 'objective.mjs'),
    `export default async function ({ params, report }) {
  await new Promise((resolve) => setTimeout(resolve, ${Math.round(seconds * 1000)}));
  await report(1, params.x);
  return params.x ** 2 + params.y;
}
`,
  );
  writeFileSync(
    join(root, 'configs', 'bench.yaml'),
    `study: bench
backbone: none
metric: { name: loss, goal: minimize }
trials: 1
parallel: 2
sampler: { type: random, seed: 1 }
pruner: { type: nop }
parameters:
  x: { min: -5.0, max: 5.0 }
  y: { min: 0.0, max: 1.0 }
objective: { type: module, path: ./objective.mjs }
backup:
${backup ? '  destinations:\n    - { name: slow, type: folder, path: ../backups }' : '  enabled: false'}
`,
  );
  return join(root, 'configs', 'bench.yaml');
}

/** A finished trial with a few reports, as a sweep adds one. */
export function oneTrial() {
  const x = Math.random() * 10 - 5;
  return {
    state: 'COMPLETE',
    values: [x ** 2],
    startedAt: '2026-03-01 10:00:00.000000',
    completedAt: '2026-03-01 10:00:01.000000',
    internalParams: { x, y: Math.random() },
    distributions,
    intermediateValues: Object.fromEntries(Array.from({ length: 10 }, (_, step) => [step, Math.random()])),
  };
}

/** Runs one trial and adds finished ones until the database has `megabytes`; gives back its path and the finished trials. */
export async function fillStudy(root, megabytes) {
  const { summary } = await runSweep({ configPath: writeProject(root, { seconds: 0, backup: false }) });
  const path = summary.studyDb;
  const storage = await openStorage(path, { durability: 'normal' });
  const study = await storage.findStudy('bench');
  let finished = 1;
  for (; statSync(path).size < megabytes * 1e6;) {
    const templates = Array.from({ length: megabytes < 10 ? 2 : 40 }, () => {
      const x = Math.random() * 10 - 5;
      finished++;
      return {
        state: 'COMPLETE',
        values: [x ** 2],
        startedAt: '2026-03-01 10:00:00.000000',
        completedAt: '2026-03-01 10:00:01.000000',
        internalParams: { x, y: Math.random() },
        distributions,
        intermediateValues: Object.fromEntries(Array.from({ length: STEPS }, (_, step) => [step, Math.random()])),
      };
    });
    await storage.createTrials(study.studyId, templates);
    // What was written lies in the -wal until a checkpoint: closing makes one.
    if (finished % 400 === 1) await (await loadStudy({ storage: path, studyName: 'bench' })).close();
  }
  await storage.close();
  return { path, finished };
}

/** Adds one finished trial, as large as the others. */
export async function addTrial(path) {
  const storage = await openStorage(path, { durability: 'normal' });
  const study = await storage.findStudy('bench');
  await storage.createTrials(study.studyId, [
    {
      state: 'COMPLETE',
      values: [Math.random()],
      startedAt: '2026-03-01 10:00:00.000000',
      completedAt: '2026-03-01 10:00:01.000000',
      internalParams: { x: Math.random(), y: Math.random() },
      distributions,
      intermediateValues: Object.fromEntries(Array.from({ length: STEPS }, (_, step) => [step, Math.random()])),
    },
  ]);
  await storage.close();
}
