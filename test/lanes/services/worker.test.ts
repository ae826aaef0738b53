import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterEach, describe, expect, it } from 'vitest';

import { FloatDistribution } from '../../../src/core/distributions.js';
import { SharedLease } from '../../../src/app/shared/shared-lease.js';
import { openStorage } from '../../../src/storage/open-storage.js';
import { loadStudy } from '../../../src/study/create-study.js';
import { CliProject, exitOf, until } from '../../support/cli-project.js';
import { newDatabase, SERVERS, type ServerDatabase, type ServerName } from '../../support/server-databases.js';
import { expectWhole } from '../../support/whole-study.js';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  delete process.env['SWEEP_DB'];
  for (const close of closing.splice(0).reverse()) await close();
});
const numbersTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** The password as it is, and as the URL has it. */
const SECRET = 'geh:e/im@nis 7';
const ENCODED = encodeURIComponent(SECRET);

async function shared(
  server: ServerName,
  lines: string,
  pauseMs = 40,
): Promise<{ project: CliProject; database: ServerDatabase; url: string }> {
  const database = await newDatabase(server);
  closing.push(() => database.drop());
  const parsed = new URL(database.url);
  // PostgreSQL trusts whoever comes; MariaDB's root has no password to give.
  const url =
    server === 'PostgreSQL'
      ? `postgresql+psycopg2://postgres:${ENCODED}@${parsed.host}${parsed.pathname}`
      : database.url.replace('mysql:', 'mysql+pymysql:');
  process.env['SWEEP_DB'] = url;
  const project = new CliProject({ config: `storage: \${SWEEP_DB}\n${lines}`, pauseMs });
  closing.push(() => {
    project.remove();
  });
  return { project, database, url };
}

async function trialsOf(url: string) {
  const storage = await openStorage(url);
  const study = await loadStudy({ storage });
  const trials = await study.trials();
  await study.close();
  return trials;
}

/** Every file below a folder that holds one of these texts; one that goes away meanwhile is none. */
function filesWith(folder: string, texts: readonly string[]): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => {
      try {
        return statSync(path).isFile() && texts.some((text) => readFileSync(path).includes(text));
      } catch {
        return false;
      }
    });
}

describe.each(SERVERS)('a study shared on %s', (server) => {
  it('is begun by run, joined by workers with its URL only, and never exceeds its total', async () => {
    const { project, url } = await shared(server, 'trials: 24\nparallel: 1');
    const first = project.start('run', project.config, '--json');
    await until(() => first.exitCode !== null || filesWith(project.folder, ['trial-started']).length > 0, 'a trial');
    delete process.env['SWEEP_DB'];
    const workers = numbersTo(2).map(() => project.start('worker', url, '--json'));
    expect(await Promise.all([first, ...workers].map(exitOf))).toEqual([0, 0, 0]);
    const trials = await trialsOf(url);
    expect(trials.map((trial) => trial.number)).toEqual(numbersTo(24));
    expect(trials.every((trial) => trial.state === 'COMPLETE')).toBe(true);
    // The last backup holds all of it, whoever wrote it.
    const storage = await openStorage(join(project.folder, copyOf(project)), { readOnly: true });
    const copy = await loadStudy({ storage });
    expect((await copy.trials()).map((trial) => [trial.trialId, trial.value])).toEqual(
      trials.map((trial) => [trial.trialId, trial.value]),
    );
    await storage.close();
  });
});

describe('a study that its server lost', () => {
  const lose = (database: ServerDatabase) => database.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
  const restoredFrom = (output: string) => /"restoredFrom":\s*("[^"]*"|null)/.exec(output)?.[1];

  it('is brought back from its backup by one of the workers that begin at once, ids and numbers kept', async () => {
    const { project, database, url } = await shared('PostgreSQL', 'trials: 8\nparallel: 1', 0);
    expect(project.run('run', project.config, '--json').code).toBe(0);
    const before = await trialsOf(url);
    await lose(database);
    // One machine has a copy of its own, and the backup is what counts all the same.
    const workers = numbersTo(3).map(() => project.start('worker', project.config, '--json', '--set', 'trials=16'));
    expect(await Promise.all(workers.map(exitOf))).toEqual([0, 0, 0]);
    const after = await trialsOf(url);
    expect(after.map((trial) => trial.number)).toEqual(numbersTo(16));
    expect(after.slice(0, 8).map((trial) => [trial.trialId, trial.number, trial.values, trial.startedAt])).toEqual(
      before.map((trial) => [trial.trialId, trial.number, trial.values, trial.startedAt]),
    );
    expect(workers.map((worker) => restoredFrom(worker.output())).filter((from) => from !== 'null').length).toBe(1);
  });

  it('backup now takes what is in the database; a drill compares with that, and trains on the copy alone', async () => {
    const { project, url } = await shared('PostgreSQL', 'trials: 3\nparallel: 1', 0);
    expect(project.run('run', project.config, '--json').code).toBe(0);
    const study = await loadStudy({ storage: url });
    await study.tell(await study.ask({ x: new FloatDistribution(-5, 5) }), 1);
    await study.close();
    expect(project.run('backup', 'now', project.config).code).toBe(0);
    const drill = project.run('backup', 'drill', project.config, '--json');
    expect(drill.code).toBe(0);
    expect(drill.stdout).toContain('4 finished trials equal the local ones, 0 not saved yet');
    expect((await trialsOf(url)).length).toBe(4);
  });

  it('with --require-restore no fresh one is begun where its backup is damaged', async () => {
    const { project, database } = await shared('PostgreSQL', 'trials: 3\nparallel: 1', 0);
    expect(project.run('run', project.config, '--json').code).toBe(0);
    await lose(database);
    rmSync(join(project.folder, 'outputs'), { recursive: true });
    for (const name of readdirSync(join(project.folder, 'backups'), { recursive: true, encoding: 'utf8' })) {
      const path = join(project.folder, 'backups', name);
      if (statSync(path).isFile() && !name.endsWith('.json')) writeFileSync(path, 'damaged');
    }
    expect(project.run('run', project.config, '--require-restore').code).toBe(3);
    expect(await database.query('SELECT study_id FROM studies')).toEqual([]);
  });
});

describe('a shared study', () => {
  it('a worker leaves on SIGTERM with its trial queued again, and all end on resweep stop', async () => {
    const { project, url } = await shared('PostgreSQL', 'trials: 500\nparallel: 1', 60);
    const workers = numbersTo(2).map(() => project.start('worker', project.config));
    await until(() => workers.every((worker) => worker.output().includes('trial')), 'trials of both');
    workers[0]?.kill('SIGTERM');
    expect(await exitOf(workers[0] ?? workers[1]!)).toBe(143);
    const interrupted = (await trialsOf(url)).filter((trial) => trial.isInterrupted);
    expect(interrupted.length).toBeLessThanOrEqual(1);
    const asked = project.json<{ requested: boolean; workers: number }>('stop', url);
    expect(asked).toMatchObject({ requested: true, workers: 1 });
    expect(await exitOf(workers[1] ?? workers[0]!)).toBe(0);
    expect((await trialsOf(url)).filter((trial) => trial.state === 'RUNNING')).toEqual([]);
  });

  it('backups go on with another worker where the one that writes them is killed', async () => {
    const { url } = await shared('PostgreSQL', '');
    const [a, b] = [await openStorage(url), await openStorage(url)];
    closing.push(
      () => a.close(),
      () => b.close(),
    );
    const timing = { intervalMs: 50, patienceMs: 400 };
    const [first, second] = [new SharedLease(a, 'backup:1', timing), new SharedLease(b, 'backup:1', timing)];
    await first.start(() => undefined);
    await second.start(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 600));
    // It lives, so nobody takes over.
    expect([first.isHeld, second.isHeld]).toEqual([true, false]);
    // Its connection dies with it; nothing is given back.
    await a.close();
    await until(() => second.isHeld, 'the takeover', 5_000);
    await second.close();
  });

  it('resweep stop --now: running trials are queued again, all workers end within seconds', async () => {
    const { project, url } = await shared('PostgreSQL', 'trials: 50\nparallel: 1', 5_000);
    const workers = numbersTo(2).map(() => project.start('worker', project.config));
    const running = async (): Promise<number> =>
      (await trialsOf(url).catch(() => [])).filter(({ state }) => state === 'RUNNING').length;
    await until(async () => (await running()) === 2, 'a trial of each', 30_000);
    const askedAt = performance.now();
    expect(project.json('stop', url, '--now')).toMatchObject({ requested: true, now: true, running: 2, workers: 2 });
    expect(await Promise.all(workers.map(exitOf))).toEqual([0, 0]);
    // A trial takes 20 s.
    expect(performance.now() - askedAt).toBeLessThan(15_000);
    const trials = await trialsOf(url);
    expect(trials.map(({ state }) => state).sort()).toEqual(['FAIL', 'FAIL', 'WAITING', 'WAITING']);
    expect(trials.filter((trial) => trial.isInterrupted).length).toBe(2);
  });

  it('the worker that writes backups is killed: another takes over, and the last backup holds every trial', async () => {
    const { project, database, url } = await shared('PostgreSQL', 'trials: 120\nparallel: 1', 60);
    const holder = async (): Promise<unknown> =>
      (await database.query("SELECT holder FROM resweep_leases WHERE name LIKE 'backup:%'").catch(() => []))[0]?.[
        'holder'
      ];
    const first = project.start('worker', project.config);
    await until(async () => (await holder()) !== undefined, 'the lease of the first', 30_000);
    const second = project.start('worker', project.config);
    await until(async () => (await database.query('SELECT 1 FROM resweep_processes')).length === 2, 'both', 30_000);
    const before = await holder();
    first.kill('SIGKILL');
    await exitOf(first);
    await until(async () => ![undefined, before].includes(await holder()), 'the takeover', 40_000);
    expect(await exitOf(second)).toBe(0);
    const trials = await trialsOf(url);
    expectWhole(trials, 120);
    const storage = await openStorage(join(project.folder, copyOf(project)), { readOnly: true });
    const copy = await loadStudy({ storage });
    expect((await copy.trials()).map((trial) => [trial.trialId, trial.state, trial.value])).toEqual(
      trials.map((trial) => [trial.trialId, trial.state, trial.value]),
    );
    await storage.close();
  });

  it('passwords are in no file, no output, not in the study', async () => {
    const { project, database, url } = await shared('PostgreSQL', 'trials: 4');
    const secrets = [SECRET, ENCODED, 'geh:e', 'im@nis'];
    const outputs = [
      project.run('run', project.config, '--verbose'),
      project.run('status', project.config, '--json'),
      project.run('status', url),
      project.run('worker', url, '--verbose'),
      project.run('run', project.config, '--storage', url, '--json'),
      project.run('trials', url.replace(/\/resweep_test_\w+/, '/no_such_database')),
      project.run('status', url.replace(/:\d+\//, ':1/')),
      project.run('status', `postgresql://${ENCODED}@@:${SECRET}`),
      project.run('run', project.config, '--storage', `postgres//u:${SECRET}@h/d`),
    ];
    for (const { stdout, stderr } of outputs)
      for (const secret of secrets.slice(0, 2)) expect(stdout + stderr).not.toContain(secret);
    expect(outputs.slice(0, 3).map(({ code }) => code)).toEqual([0, 0, 0]);
    expect(filesWith(project.folder, secrets.slice(0, 2))).toEqual([]);
    for (const table of ['study_system_attributes', 'study_user_attributes', 'trial_system_attributes']) {
      const rows = await database.query(`SELECT value_json FROM ${table}`);
      for (const secret of secrets) expect(JSON.stringify(rows)).not.toContain(secret);
    }
  });

  it('a driver that names what it was given shows no password', async () => {
    const base = new URL((await shared('MySQL', '')).database.url);
    const wrong = `mysql+mysqldb://nobody:${ENCODED}@${base.host}${base.pathname}`;
    const error = await openStorage(wrong, { patienceMs: 500 }).catch((thrown: unknown) => thrown as Error);
    const shown = JSON.stringify(error, Object.getOwnPropertyNames(error));
    expect(shown).toContain('nobody');
    expect(shown).not.toContain(SECRET);
    expect(shown).not.toContain(ENCODED);
  });
});

function copyOf(project: CliProject): string {
  const found = readdirSync(join(project.folder, 'backups'), { recursive: true, encoding: 'utf8' }).find(
    (name) => name.endsWith('study.db') && !name.startsWith('.resweep'),
  );
  if (found === undefined) throw new Error('There is no copy of study.db.');
  return join('backups', found);
}
