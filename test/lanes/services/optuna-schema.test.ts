import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

import { afterEach, describe, expect, it } from 'vitest';

import { RandomSampler } from '../../../src/samplers/random-sampler.js';
import { openStorage } from '../../../src/storage/open-storage.js';
import { createStudy } from '../../../src/study/create-study.js';
import { newDatabase, SERVERS, type ServerDatabase, type ServerName } from '../../support/server-databases.js';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function database(server: ServerName): Promise<ServerDatabase> {
  const made = await newDatabase(server);
  closing.push(() => made.drop());
  return made;
}

interface Seen {
  readonly number: number;
  readonly state: string;
  readonly value: number | null;
  readonly params: Readonly<Record<string, unknown>>;
  readonly userAttrs: Readonly<Record<string, unknown>>;
  readonly reports: Readonly<Record<string, number>>;
}

/** Real Optuna works on a database: what it sees then. */
function optuna(action: 'make' | 'go-on', url: string): Seen[] {
  const python = process.env['RESWEEP_PYTHON'];
  if (python === undefined) throw new Error('No Python with Optuna: set RESWEEP_PYTHON.');
  const theirs = url.replace('postgresql:', 'postgresql+psycopg2:').replace('mysql:', 'mysql+pymysql:');
  const script = join(import.meta.dirname, 'optuna_server_side.py');
  const { status, stdout, stderr } = spawnSync(python, [script, action, theirs], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  type Printed = Omit<Seen, 'reports' | 'value'> & { reports: Record<string, string>; value: string | null };
  const number = (text: string): number => (text === 'inf' ? Infinity : Number(text));
  return (JSON.parse(stdout) as Printed[]).map((trial) => ({
    ...trial,
    value: trial.value === null ? null : number(trial.value),
    reports: Object.fromEntries(Object.entries(trial.reports).map(([step, text]) => [step, number(text)])),
  }));
}

/** All that a database says of its tables, those of resweep's own left out. */
async function schemaOf(server: ServerName, { query }: ServerDatabase): Promise<unknown> {
  if (server === 'MySQL') {
    const tables = await query(
      "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name NOT LIKE 'resweep%' ORDER BY 1",
    );
    const made: Record<string, string> = {};
    for (const { name } of tables) {
      const [row] = await query(`SHOW CREATE TABLE ${String(name)}`);
      made[String(name)] = String(row?.['Create Table']).replace(/ AUTO_INCREMENT=\d+/, '');
    }
    return made;
  }
  const own = (column: string): string => `${column} NOT LIKE 'resweep%'`;
  return {
    columns:
      await query(`SELECT table_name, column_name, ordinal_position, data_type, udt_name, character_maximum_length,
      is_nullable, column_default FROM information_schema.columns WHERE table_schema = 'public' AND ${own('table_name')} ORDER BY 1, 3`),
    indexes: await query(
      `SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND ${own('tablename')} ORDER BY 1, 2`,
    ),
    constraints: await query(`SELECT conrelid::regclass::text AS of, conname, pg_get_constraintdef(oid) AS text
      FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND ${own('conrelid::regclass::text')} ORDER BY 1, 2`),
    enums: await query(
      'SELECT t.typname, e.enumlabel FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid ORDER BY 1, e.enumsortorder',
    ),
    sequences: await query(
      `SELECT sequencename, data_type::text AS type FROM pg_sequences WHERE schemaname = 'public' ORDER BY 1`,
    ),
  };
}

describe.each(SERVERS)('Optuna on %s', (server) => {
  it('makes the tables that resweep makes, column by column, and the same version rows', async () => {
    const [theirs, ours] = [await database(server), await database(server)];
    optuna('make', theirs.url);
    await (await createStudy({ storage: ours.url, studyName: 'shared', seed: 1 })).close();
    expect(await schemaOf(server, ours)).toEqual(await schemaOf(server, theirs));
    for (const table of ['alembic_version', 'version_info'])
      expect(await ours.query(`SELECT * FROM ${table}`)).toEqual(await theirs.query(`SELECT * FROM ${table}`));
  });

  it('a study that it made is opened, continued, and continued by it again', async () => {
    const { url } = await database(server);
    const made = optuna('make', url);
    const study = await createStudy({
      storage: url,
      studyName: 'shared',
      sampler: new RandomSampler(),
      loadIfExists: true,
    });
    expect((await study.trials()).map(seen)).toEqual(made);
    expect([made[4]?.state, made[4]?.value]).toEqual(['PRUNED', Infinity]);
    expect(study.userAttrs).toEqual({ by: 'optuna' });
    await study.optimize(
      async (trial) => {
        const x = trial.suggestFloat('x', -5, 5);
        const n = trial.suggestInt('n', 1, 8, { log: true });
        trial.suggestCategorical('kind', ['a', null, 1.5]);
        trial.setUserAttr('note', { x, text: 'ü \\ "' });
        await trial.report(n > 4 ? Infinity : x, 0);
        return x;
      },
      { nTrials: 8 },
    );
    const ours = (await study.trials()).map(seen);
    await study.close();
    const after = optuna('go-on', url);
    expect(after.slice(0, ours.length)).toEqual(ours);
    expect(after.map(({ number }) => number)).toEqual(Array.from({ length: 32 }, (_, i) => i));
    const storage = await openStorage(url, { readOnly: true });
    const record = await storage.findStudy('shared');
    expect((await storage.sync(record?.studyId ?? 0)).trials.map(seen)).toEqual(after);
    await storage.close();
  });
});

/** A trial as the Python side prints it. */
function seen(trial: Awaited<ReturnType<Awaited<ReturnType<typeof createStudy>>['trials']>>[number]): Seen {
  const { number, state, value, params, userAttrs, intermediateValues } = trial;
  return {
    number,
    state,
    value: value ?? null,
    params,
    userAttrs,
    reports: { ...intermediateValues },
  };
}
