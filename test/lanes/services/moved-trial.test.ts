import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, describe, expect, it } from 'vitest';

import { createStudy, loadStudy } from '../../../src/study/create-study.js';
import { CliProject, exitOf, until } from '../../support/cli-project.js';
import { children } from '../../support/processes.js';
import { newDatabase } from '../../support/server-databases.js';
import { expectWhole, trialsAt } from '../../support/whole-study.js';

const start = children();
const closing: (() => unknown)[] = [];
afterEach(async () => {
  delete process.env['SWEEP_DB'];
  for (const close of closing.splice(0).reverse()) await close();
});

describe('a shared study', () => {
  it('a trial that moves to another machine goes on from the checkpoint at the destination', async () => {
    const database = await newDatabase('PostgreSQL');
    closing.push(() => database.drop());
    process.env['SWEEP_DB'] = database.url;
    // Two machines: a folder each, and nothing in common but the database and the destination.
    const archive = mkdtempSync(join(tmpdir(), 'resweep-archive-'));
    const lines = `storage: \${SWEEP_DB}\ntrials: 1\nparallel: 1\nbackup: { destinations: [{ name: archive, type: folder, path: ${archive} }] }`;
    const [one, other] = [new CliProject({ config: lines, pauseMs: 1_500 }), new CliProject({ pauseMs: 0 })];
    closing.push(() => {
      rmSync(archive, { recursive: true, force: true });
      one.remove();
      other.remove();
    });
    const first = one.start('worker', one.config);
    await until(async () => {
      const [trial] = await trialsAt(database.url).catch(() => []); // the study is not there yet
      return Object.keys(trial?.intermediateValues ?? {}).length >= 2;
    }, 'two reports');
    first.kill('SIGTERM');
    expect(await exitOf(first)).toBe(143);
    one.remove();

    // The other knows nothing but the URL.
    const second = other.run('worker', database.url);
    expect(second.code).toBe(0);
    const trials = await trialsAt(database.url);
    expectWhole(trials, 1);
    // What the first run had reported was not computed again: the objective goes on at the step after its checkpoint.
    const events = readFileSync(eventsOf(other), 'utf8');
    expect(events).toContain('checkpoint-restored');
    const state = JSON.parse(readFileSync(join(folderOf(other, events), 'state.json'), 'utf8')) as { step: number };
    expect(state.step).toBe(4);
  });

  it('the trial of a silent process is taken over within two heartbeat intervals', async () => {
    const database = await newDatabase('PostgreSQL');
    closing.push(() => database.drop());
    const heartbeat = { intervalMs: 3_000, graceMs: 5_000 }; // the default's proportions
    const study = await createStudy({ storage: database.url, studyName: 's', seed: 1 });
    await study.close();
    const child = start({ storage: database.url, studyName: 's', nTrials: 1, hangAt: 0, heartbeat });
    await child.says('ready');
    await until(async () => (await trialsAt(database.url)).length === 1, 'its trial');
    // As a machine that is gone: nobody here can look at its process.
    await database.query("UPDATE resweep_processes SET host = 'elsewhere', boot_id = 'another'");
    await child.kill();
    const diedAt = performance.now();
    const waiting = await loadStudy({ storage: database.url, heartbeat });
    closing.push(() => waiting.close());
    let taken = 0;
    // As an idle worker does: it asks again and again whether there is anything to do.
    while (taken === 0 && performance.now() - diedAt < 20_000) {
      const [first] = await waiting.trials();
      if (first?.isInterrupted === true) taken = performance.now() - diedAt;
      else {
        await waiting.interruptStaleTrials();
        await new Promise((resolve) => setTimeout(resolve, heartbeat.intervalMs / 6));
      }
    }
    expect(taken).toBeGreaterThan(0);
    expect(taken).toBeLessThan(2 * heartbeat.intervalMs);
  });
});

function eventsOf(project: CliProject): string {
  const name = readdirSync(project.folder, { recursive: true, encoding: 'utf8' }).find((path) =>
    /^outputs.*events\.jsonl$/.test(path),
  );
  return join(project.folder, name ?? 'events.jsonl');
}

function folderOf(project: CliProject, events: string): string {
  const line = events.split('\n').find((text) => text.includes('checkpoint-restored')) ?? '{}';
  const { path } = JSON.parse(line) as { path: string };
  expect(path.startsWith(project.folder) && existsSync(path)).toBe(true);
  return path;
}
