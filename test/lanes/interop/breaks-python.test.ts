import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { openStorage } from '../../../src/storage/open-storage.js';
import { createStudy } from '../../../src/study/create-study.js';
import { OptunaSide } from './optuna-side.js';

interface Verdict {
  readonly load: string | readonly number[];
  readonly continue?: string | readonly number[];
}

const to = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const ALL = to(12);
const GOES_ON = { load: ALL, continue: to(14) };

/** What is done to a whole study of 12 trials, what Python 5.0 makes of it, and what resweep does: reads it, or names the trouble. */
const ROWS: readonly (readonly [what: string, sql: string, python: Verdict, ours: 'reads' | RegExp])[] = [
  ['nothing', 'SELECT 1', GOES_ON, 'reads'],
  ['no version rows', 'DELETE FROM version_info; DELETE FROM alembic_version', GOES_ON, 'reads'],
  ['another revision', "UPDATE alembic_version SET version_num = 'v9.9.9'", { load: 'RuntimeError' }, /newer/],
  ['any library version', "UPDATE version_info SET library_version = 'my-library 1.0'", GOES_ON, 'reads'],
  [
    'an extra table, column and trigger',
    'CREATE TABLE mine (k); ALTER TABLE trials ADD COLUMN extra TEXT; CREATE TRIGGER t AFTER INSERT ON trials BEGIN SELECT 1; END; PRAGMA user_version = 77',
    GOES_ON,
    'reads',
  ],
  ['WAL mode', 'PRAGMA journal_mode = WAL', GOES_ON, 'reads'],
  [
    'COMPLETE without a value',
    'DELETE FROM trial_values WHERE trial_id = 4',
    { load: ALL, continue: 'TypeError' },
    'reads',
  ],
  [
    'FINITE with NULL',
    'UPDATE trial_values SET value = NULL WHERE trial_id = 4',
    { load: 'AssertionError' },
    /Trial 3 .* objective 0 has no usable value/,
  ],
  ['FINITE with an infinity', 'UPDATE trial_values SET value = 9e999 WHERE trial_id = 4', GOES_ON, 'reads'],
  [
    'a lower-case enum',
    "UPDATE trial_values SET value_type = 'finite' WHERE trial_id = 4",
    { load: 'LookupError' },
    /Trial 3 .* no usable value/,
  ],
  [
    'a lower-case state',
    "UPDATE trials SET state = 'complete' WHERE trial_id = 4",
    { load: 'LookupError' },
    /Trial 3 .* its state is "complete"/,
  ],
  [
    'an attribute that is no JSON',
    "INSERT INTO trial_user_attributes (trial_id, key, value_json) VALUES (4, 'k', 'undefined')",
    { load: 'JSONDecodeError' },
    /Trial 3 .* attribute "k" is no JSON/,
  ],
  [
    'a choice that does not exist',
    `UPDATE trial_params SET param_value = 3, distribution_json = '{"name": "CategoricalDistribution", "attributes": {"choices": ["a", "b"]}}' WHERE trial_id = 4`,
    { load: 'IndexError' },
    /Trial 3 .* Choice 3 of 2 does not exist/,
  ],
  ['a parameter outside its range', 'UPDATE trial_params SET param_value = 5 WHERE trial_id = 4', GOES_ON, 'reads'],
  ['a parameter as text', "UPDATE trial_params SET param_value = '0.5' WHERE trial_id = 4", GOES_ON, 'reads'],
  [
    'a distribution of a class before 3.0',
    `UPDATE trial_params SET distribution_json = '{"name": "UniformDistribution", "attributes": {"low": 0.0, "high": 1.0}}'`,
    { load: ALL, continue: 'ValueError' },
    'reads',
  ],
  [
    'a distribution with an unknown attribute',
    `UPDATE trial_params SET distribution_json = '{"name": "FloatDistribution", "attributes": {"low": 0, "high": 1, "foo": 1}}' WHERE trial_id = 4`,
    { load: 'TypeError' },
    'reads',
  ],
  [
    'COMPLETE without times',
    'UPDATE trials SET datetime_start = NULL, datetime_complete = NULL WHERE trial_id = 4',
    GOES_ON,
    'reads',
  ],
  [
    'gaps between ids',
    'UPDATE trials SET trial_id = trial_id + 100 WHERE trial_id > 6; UPDATE trial_values SET trial_id = trial_id + 100 WHERE trial_id > 6; UPDATE trial_params SET trial_id = trial_id + 100 WHERE trial_id > 6',
    GOES_ON,
    'reads',
  ],
  [
    'a trial deleted',
    'DELETE FROM trials WHERE trial_id = 6',
    { load: ALL.filter((n) => n !== 5), continue: [...ALL.filter((n) => n !== 5), 12] },
    'reads',
  ],
  [
    'numbers from 1',
    'UPDATE trials SET number = number + 1',
    { load: ALL.map((n) => n + 1), continue: [...ALL.map((n) => n + 1), 13] },
    'reads',
  ],
  [
    'a number twice',
    'UPDATE trials SET number = 4 WHERE trial_id = 4',
    { load: ALL.filter((n) => n !== 3), continue: to(14).filter((n) => n !== 3) },
    'reads',
  ],
];

/** Each row of the table of what breaks Python: facts that resweep rests on, and what it does itself in the same place. */
describe('databases that somebody else wrote', () => {
  const folder = mkdtempSync(join(tmpdir(), 'resweep-breaks-'));
  let verdicts: Record<string, Verdict>;
  beforeAll(async () => {
    const whole = join(folder, 'whole');
    const study = await createStudy({ storage: whole, studyName: 's', seed: 1 });
    await study.optimize((trial) => trial.suggestFloat('x', 0, 1), { nTrials: 12 });
    await study.close();
    mkdirSync(join(folder, 'python'));
    mkdirSync(join(folder, 'ours'));
    for (const [index, [, sql]] of ROWS.entries()) {
      const path = join(folder, 'python', `${index}.db`);
      copyFileSync(whole, path);
      const db = new Database(path);
      db.pragma('foreign_keys = OFF');
      db.exec(sql);
      if (!sql.includes('WAL')) db.pragma('journal_mode = DELETE');
      db.close();
      copyFileSync(path, join(folder, 'ours', `${index}.db`));
    }
    verdicts = (await new OptunaSide().run('verdicts', '', '', join(folder, 'python'))) as unknown as Record<
      string,
      Verdict
    >;
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it.each(ROWS.map(([what, , python, ours], index) => [what, index, python, ours] as const))(
    '%s',
    async (_what, index, python, ours) => {
      expect(verdicts[index]).toEqual(python);
      const read = async (): Promise<unknown> => {
        const storage = await openStorage(join(folder, 'ours', `${index}.db`), { readOnly: true });
        try {
          const record = await storage.findStudy('s');
          const { trials } = await storage.sync(record?.studyId ?? 0);
          return trials.map((trial) => ({ ...trial.params, ...trial.userAttrs })).length;
        } finally {
          await storage.close();
        }
      };
      if (ours === 'reads') expect(await read()).toBeGreaterThanOrEqual(11);
      else await expect(read()).rejects.toThrow(ours);
    },
  );
});
