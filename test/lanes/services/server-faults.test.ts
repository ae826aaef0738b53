import { afterEach, describe, expect, it } from 'vitest';

import { RandomSampler } from '../../../src/samplers/random-sampler.js';
import { openStorage } from '../../../src/storage/open-storage.js';
import { createStudy } from '../../../src/study/create-study.js';
import type { Study } from '../../../src/study/study.js';
import { ownServer, type OwnServer } from '../../support/own-servers.js';
import { newDatabase, SERVERS, type ServerDatabase } from '../../support/server-databases.js';
import { TcpProxy } from '../../support/tcp-proxy.js';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});
const numbersTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function database(server: (typeof SERVERS)[number], base?: string): Promise<ServerDatabase> {
  const made = await newDatabase(server, base);
  closing.push(() => made.drop().catch(() => undefined));
  return made;
}

async function proxyBefore(url: string): Promise<TcpProxy> {
  const proxy = await TcpProxy.before(url);
  closing.push(() => proxy.close());
  return proxy;
}

/** Runs trials in several workers, each with a connection of its own; what each objective call gave, by trial. */
async function runWorkers(urls: readonly string[], each: number): Promise<Map<number, number>> {
  const results = new Map<number, number>();
  const work = async (url: string): Promise<void> => {
    const study: Study = await createStudy({
      storage: url,
      studyName: 's',
      seed: 1,
      sampler: new RandomSampler(),
      loadIfExists: true,
    });
    await study.optimize(
      async (trial) => {
        const x = trial.suggestFloat('x', -5, 5);
        await trial.report(x, 0);
        await pause(10);
        if (results.has(trial.number)) throw new Error(`Trial ${trial.number} was run twice.`);
        results.set(trial.number, x * x);
        return x * x;
      },
      { nTrials: each },
    );
    await study.close();
  };
  await Promise.all(urls.map(work));
  return results;
}

/** Nothing lost, nothing twice: every trial that was run is there once, with the value that it gave. */
async function expectWhole(url: string, results: ReadonlyMap<number, number>, total: number): Promise<void> {
  const storage = await openStorage(url);
  const record = await storage.findStudy('s');
  const { trials } = await storage.sync(record?.studyId ?? 0);
  await storage.close();
  expect(trials.map((trial) => trial.number)).toEqual(numbersTo(total));
  expect([...results.keys()].sort((a, b) => a - b)).toEqual(numbersTo(total));
  for (const trial of trials) {
    expect(trial.state).toBe('COMPLETE');
    expect(trial.value).toBe(results.get(trial.number));
    expect(Object.keys(trial.intermediateValues)).toEqual(['0']);
  }
}

describe.each(SERVERS)('%s', (server) => {
  it('answers that are lost after the server has acted: nothing twice, nothing lost', async () => {
    const { url } = await database(server);
    const proxy = await proxyBefore(url);
    await (await createStudy({ storage: url, studyName: 's', seed: 1 })).close();
    let count = 0;
    // Every place within a trial's few round trips comes in turn.
    proxy.loseAnswerAfter = () => 9 + (count++ % 11);
    const through = proxy.through(url);
    const results = await runWorkers([through, through, through], 25);
    expect(proxy.lost).toBeGreaterThan(10);
    await expectWhole(url, results, 75);
  });

  it('connections that are cut and refused in the middle', async () => {
    const { url } = await database(server);
    const proxy = await proxyBefore(url);
    await (await createStudy({ storage: url, studyName: 's', seed: 1 })).close();
    const through = proxy.through(url);
    const running = runWorkers([through, through, through], 30);
    for (let i = 0; i < 6; i++) {
      await pause(150);
      proxy.isDown = i % 2 === 0;
      proxy.cut();
    }
    proxy.isDown = false;
    await expectWhole(url, await running, 90);
  });

  it('a server that is slow', async () => {
    const { url } = await database(server);
    const proxy = await proxyBefore(url);
    proxy.delayMs = 100;
    const through = proxy.through(url);
    await expectWhole(url, await runWorkers([through, through], 4), 8);
  });

  it('a server that is killed and started again, twice, in the middle of a sweep', async () => {
    const own: OwnServer = await ownServer(server);
    closing.push(() => own.remove());
    const { url } = await database(server, own.url);
    await (await createStudy({ storage: url, studyName: 's', seed: 1 })).close();
    const running = runWorkers([url, url, url], 40);
    for (let i = 0; i < 2; i++) {
      await pause(400);
      await own.kill();
      await pause(700);
      await own.start();
    }
    await expectWhole(url, await running, 120);
  });
});

/** On both servers at once: what takes the time is waiting. */
it('connections that go dead without being cut, one of them in a transaction: left within a minute, others go on', async () => {
  await Promise.all(SERVERS.map(connectionsGoDead));
});

async function connectionsGoDead(server: (typeof SERVERS)[number]): Promise<void> {
  const { url } = await database(server);
  const proxy = await proxyBefore(url);
  await (await createStudy({ storage: url, studyName: 's', seed: 1 })).close();
  const through = proxy.through(url);
  const [stalled, direct] = [runWorkers([through, through], 15), runWorkers([url], 60)];
  await pause(200);
  const stalledAt = performance.now();
  proxy.isStalled = true;
  setTimeout(() => (proxy.isStalled = false), 5_000);
  const results = new Map(await direct);
  // A lock that a dead worker left behind is taken from it.
  expect(performance.now() - stalledAt).toBeLessThan(50_000);
  for (const [number, value] of await stalled) {
    expect(results.has(number)).toBe(false);
    results.set(number, value);
  }
  // The server cuts who is silent within a transaction; a worker gives up a connection that is.
  expect(performance.now() - stalledAt).toBeGreaterThan(20_000);
  expect(performance.now() - stalledAt).toBeLessThan(120_000);
  await expectWhole(url, results, 90);
}

describe('PostgreSQL', () => {
  it('a deadlock with another program is tried again', async () => {
    const made = await database('PostgreSQL');
    const study = await createStudy({ storage: made.url, studyName: 's', seed: 1, sampler: new RandomSampler() });
    closing.push(() => study.close());
    await study.tell(await study.ask(), 1);
    // Holds the study, waits until a worker stands behind it, then wants what that worker holds.
    const other = made.query(`
      BEGIN;
      SET LOCAL deadlock_timeout = '30s';
      SELECT 1 FROM studies FOR UPDATE;
      SELECT pg_sleep(0.7);
      UPDATE resweep_writers SET trial_id = trial_id;
      COMMIT`);
    await pause(300);
    const trial = await study.ask();
    await study.tell(trial, 2);
    await other;
    expect((await study.trials()).map((found) => [found.number, found.value])).toEqual([
      [0, 1],
      [1, 2],
    ]);
    const [row] = await made.query(
      'SELECT deadlocks::int AS deadlocks FROM pg_stat_database WHERE datname = current_database()',
    );
    await pause(1_000);
    const [later] = await made.query(
      'SELECT deadlocks::int AS deadlocks FROM pg_stat_database WHERE datname = current_database()',
    );
    expect(Number(later?.['deadlocks'] ?? row?.['deadlocks'])).toBeGreaterThanOrEqual(1);
  });

  it('serialization failures are tried again', async () => {
    const made = await database('PostgreSQL');
    const study = await createStudy({ storage: made.url, studyName: 's', seed: 1, sampler: new RandomSampler() });
    closing.push(() => study.close());
    await made.query(`
      CREATE SEQUENCE attempts;
      CREATE FUNCTION fail_often() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF nextval('attempts') % 3 <> 0 THEN RAISE EXCEPTION 'could not serialize access' USING ERRCODE = '40001'; END IF;
        RETURN NEW;
      END $$;
      CREATE TRIGGER t BEFORE INSERT ON trial_values FOR EACH ROW EXECUTE FUNCTION fail_often()`);
    await study.optimize((trial) => trial.suggestFloat('x', 0, 1), { nTrials: 5 });
    const trials = await study.trials();
    expect(trials.map((trial) => trial.value)).toEqual(trials.map((trial) => trial.params['x']));
    const [row] = await made.query("SELECT nextval('attempts')::int AS n");
    expect(row?.['n']).toBeGreaterThan(14);
  });

  it('a server without a free connection is waited for', async () => {
    const own = await ownServer('PostgreSQL', ['-c', 'max_connections=5', '-c', 'superuser_reserved_connections=0']);
    closing.push(() => own.remove());
    const { url } = await database('PostgreSQL', own.url);
    const holders = await Promise.all(numbersTo(5).map(() => openStorage(url)));
    const waiting = openStorage(url);
    await pause(500);
    for (const holder of holders) await holder.close();
    const storage = await waiting;
    expect(await storage.listStudies()).toEqual([]);
    await storage.close();
  });
});
