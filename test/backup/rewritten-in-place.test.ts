import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, it } from 'vitest';

import { TestProject } from '../support/backup-project.js';

let project: TestProject;
beforeEach(() => {
  project = new TestProject();
});
afterEach(async () => {
  await project.close();
});

it('files of a checkpoint that are replaced one after another in place are never saved from different versions', async () => {
  const checkpoint = project.path('outputs/run/checkpoint');
  const names = ['model.bin', 'optimizer.bin', 'step.json'];
  const ending = new AbortController();
  let written = 0;
  const write = async (version: number): Promise<void> => {
    for (const name of names) {
      project.write(join(checkpoint, name), `version ${String(version)}`);
      await delay(60); // Closed, and the next one not open yet.
    }
  };
  await write(0);
  const writer = (async () => {
    while (!ending.signal.aborted) {
      await write(++written);
      await delay(500);
    }
  })();
  const drive = project.drive();
  const seen: string[] = [];
  for (let round = 0; round < 6; round++) {
    await delay(90 * round);
    expect(await drive.backup(project.path('outputs/run'), { isDirectory: true })).toMatchObject({ ok: true });
    const to = project.place(`back-${String(round)}`);
    const result = await drive.restore(project.path('outputs/run'), { isDirectory: true, to });
    expect(result.files).toHaveLength(3);
    const versions = new Set(names.map((name) => readFileSync(join(result.path, 'checkpoint', name), 'utf8')));
    expect([...versions], `round ${String(round)}`).toHaveLength(1);
    seen.push(...versions);
  }
  ending.abort();
  await writer;
  expect(new Set(seen).size).toBeGreaterThan(1);
  expect(written).toBeGreaterThan(2);
});

it('a folder that never rests is read all the same, or named as left out', async () => {
  const folder = project.path('outputs/run');
  project.write(join(folder, 'a'), 'a');
  project.write(join(folder, 'b'), 'b');
  const timer = setInterval(() => {
    writeFileSync(join(folder, 'a'), String(performance.now()));
  }, 100);
  try {
    const result = await project.drive().backup(folder, { isDirectory: true });
    expect(result.ok).toBe(true);
  } finally {
    clearInterval(timer);
  }
}, 60_000);
