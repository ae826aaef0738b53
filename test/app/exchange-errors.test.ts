import { copyFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { askTrial, tellTrial } from '../../src/app/exchange/ask-tell.js';
import { copyTarget } from '../../src/app/exchange/copy-study.js';
import { enqueueTrial } from '../../src/app/exchange/enqueue-trial.js';
import { readParams } from '../../src/app/exchange/given-params.js';
import { importFile } from '../../src/app/exchange/import-file.js';
import { UsageError } from '../../src/core/errors.js';
import { CliProject } from '../support/cli-project.js';
import { DEMO_DB, studyRows } from '../support/study-files.js';

const SPACE = '{"x": {"name": "FloatDistribution", "attributes": {"low": 0, "high": 1}}}';

let project: CliProject;
let config: string;
beforeEach(() => {
  project = new CliProject();
  config = join(project.folder, project.config);
});
afterEach(() => {
  project.remove();
});

/** The message and hint of wrong use. */
async function refused(work: () => Promise<unknown>): Promise<string> {
  try {
    await work();
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    const { message, hint } = error as UsageError;
    return `${message} ${hint ?? ''}`;
  }
  throw new Error('nothing was refused');
}

it.each([
  [['xx=1'], undefined, 'Did you mean "x"?'],
  [['x=9'], undefined, '9 lies outside -5 … 5'],
  [['x=a'], undefined, '"a" is not a number'],
  [['kind=c'], undefined, '"c" is none of the choices'],
  [['kind=a', 'y=0.5'], undefined, 'takes no part where kind="a"'],
  [['x'], undefined, 'is no assignment'],
  [['x=1'], '{"x": 1}', 'given twice'],
  [[], '{"x": [1]}', 'is no single value'],
  [[], '{x: 1}', 'is not JSON'],
  [[], '[1]', 'must be a JSON object'],
  [[], undefined, 'No parameter is given'],
])('enqueue %j %s is refused', async (words, json, message) => {
  expect(await refused(async () => enqueueTrial({ target: config, given: readParams(json, words) }))).toContain(
    message,
  );
});

it('enqueue takes words as the space means them, and rules are kept', async () => {
  project.writeConfig(
    'parameters: { n: { min: 1, max: 9 }, word: { values: ["1", yes, other] }, flag: { values: [true, false] }, fixed: { value: 3 } }\nfeasible: ["n < 5"]',
  );
  const queue = async (...words: string[]): Promise<unknown> =>
    (await enqueueTrial({ target: config, given: readParams(undefined, words) })).params;
  expect(await queue('n=3', 'word=1', 'flag=false')).toEqual({ n: 3, word: '1', flag: false });
  expect(await queue('word=yes')).toEqual({ word: 'yes' });
  expect(await refused(() => queue('n=7', 'word=other', 'flag=true'))).toContain('break a rule');
  expect(await refused(() => queue('n=1.5'))).toContain('is not a whole number');
  expect(await refused(() => queue('fixed=4'))).toContain('is constant in this study (3)');
});

describe('ask and tell', () => {
  it('refuse wrong use and change nothing', async () => {
    const target = join(project.folder, 's.db');
    await askTrial({ target, studyName: 's', directions: ['minimize'], searchSpace: SPACE });
    const before = studyRows(target, 's');
    const asks = [
      [{ searchSpace: '{' }, '--search-space is not JSON'],
      [{ searchSpace: '[]' }, 'must be a JSON object'],
      [{ searchSpace: '{"x": {"name": "Float"}}' }, 'Unknown kind of distribution'],
      [{}, 'holds no configuration'],
      [{ searchSpace: SPACE, sampler: 'tpee' }, 'Did you mean "tpe"?'],
      [{ directions: ['minimise'], studyName: 'new' }, 'Did you mean "minimize"?'],
      [{ directions: ['minimize'] }, '--study NAME'],
    ] as const;
    for (const [options, message] of asks)
      expect(await refused(() => askTrial({ target, ...options }))).toContain(message);
    const tells = [
      [{ number: 0, values: [1, 2] }, 'has 1 objective, but 2 values came'],
      [{ number: 5, values: [1] }, 'There is no trial 5'],
      [{ number: 5, heartbeat: true }, 'There is no trial 5'],
      [{ number: 0, state: 'COMPLETE' }, 'tell:'],
      [{ number: 0, state: 'FAIL', values: [1] }, 'cannot go with state FAIL'],
    ] as const;
    for (const [options, message] of tells)
      expect(await refused(() => tellTrial({ target, ...options }))).toContain(message);
    expect(studyRows(target, 's')).toEqual(before);
    await expect(askTrial({ target: config, searchSpace: SPACE })).rejects.toThrow('has a configuration');
    await tellTrial({ target, number: 0, values: [1] });
    expect(await refused(() => tellTrial({ target, number: 0, heartbeat: true }))).toContain('not running any more');
  });
});

it('copy and import say what is wrong and write nothing', async () => {
  const optuna = join(project.folder, 'optuna.db');
  copyFileSync(DEMO_DB, optuna);
  const storage = join(project.folder, 'x.db');
  const imports = [
    [{ file: optuna }, 'name one with --study'],
    [{ file: optuna, studyName: 'tpee', storage }, 'Did you mean "tpe"?'],
    [{ file: optuna, studyName: 'tpe' }, 'Where shall the study go?'],
    [{ file: optuna, studyName: 'nsga2', config }, 'Change "goal:"'],
    [{ file: join(project.folder, 'package.json'), storage }, 'neither a database or journal'],
    [{ file: join(project.folder, 'none.db'), storage }, 'There is no file'],
    [{ file: config, storage }, 'is no sweep file of W&B'],
    [{ file: 'sqlite:///optuna.db', storage }, 'import reads files'],
  ] as const;
  for (const [options, message] of imports) expect(await refused(() => importFile(options))).toContain(message);
  for (const [to, message] of [
    ['memory', 'forgets everything'],
    ['mongodb://h/x', 'is not supported'],
    [project.folder, 'is a folder'],
    [join(project.folder, 'none/x.db'), 'does not exist'],
    [optuna, '--name tpe-copy'],
  ] as const)
    expect(await refused(() => copyTarget({ from: DEMO_DB, to, studyName: 'tpe' }))).toContain(message);
  expect(existsSync(storage)).toBe(false);
  expect(existsSync(join(project.folder, 'outputs'))).toBe(false);
});
