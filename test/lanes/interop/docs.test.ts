import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { CliProject } from '../../support/cli-project.js';
import { newDatabase, type ServerDatabase } from '../../support/server-databases.js';
import { pythonProgram } from './optuna-side.js';

const ROOT = resolve(import.meta.dirname, '..', '..', '..');
const PAGE = readFileSync(join(ROOT, 'docs', 'coming-from-optuna.md'), 'utf8');
const PREPARE = `
import optuna
from optuna.storages.journal import JournalFileBackend
journal = optuna.storages.JournalStorage(JournalFileBackend("journal.log"))
for storage in ("sqlite:///optuna.db", journal):
    study = optuna.create_study(study_name="digits", storage=storage)
    study.optimize(lambda trial: trial.suggest_float("x", -5, 5) ** 2, n_trials=5)
optuna.create_study(study_name="another", storage="sqlite:///optuna.db")
`;

/** The blocks of one language, in the order of the page. */
const blocks = (language: string): string[] =>
  [...PAGE.matchAll(new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, 'gs'))].map((match) => match[1] ?? '');

/** Words of a line as a shell takes them apart. */
const wordsOf = (line: string): string[] =>
  [...line.matchAll(/'([^']*)'|(\S+)/g)].map((match) => match[1] ?? match[2] ?? '');

describe('docs/coming-from-optuna.md, word for word', () => {
  let project: CliProject;
  let database: ServerDatabase;
  beforeAll(async () => {
    project = new CliProject();
    database = await newDatabase('PostgreSQL');
    writeFileSync(join(project.folder, 'objective.js'), 'export default ({ params }) => ({ loss: params.x ** 2 });');
    project.writeConfig('study: digits\nparameters: { x: { min: -5.0, max: 5.0 } }\nbackup: { enabled: false }');
    writeFileSync(
      join(project.folder, 'configs/digits.yaml'),
      readFileSync(join(project.folder, project.config), 'utf8'),
    );
    await python(PREPARE);
  });
  afterAll(async () => {
    await database.drop();
    project.remove();
  });
  const python = async (program: string): Promise<string> =>
    (await promisify(execFile)(pythonProgram('python'), ['-c', program], { cwd: project.folder })).stdout;

  it('runs', async () => {
    const lines = blocks('sh').flatMap((block) => block.trim().split('\n'));
    expect(lines.length).toBeGreaterThan(12);
    for (const line of lines) {
      const [program, ...words] = wordsOf(line.replace('postgresql://me@db/sweeps', database.url));
      expect(program).toBe('resweep');
      const { code, stdout, stderr } = project.run(...words);
      expect(code, `${line}\n${stdout}${stderr}`).toBe(0);
    }
    for (const block of blocks('python')) expect(Number(await python(block))).toBeGreaterThanOrEqual(0);
    mkdirSync(join(project.folder, 'node_modules'));
    symlinkSync(ROOT, join(project.folder, 'node_modules/resweep'));
    for (const block of blocks('ts')) {
      writeFileSync(join(project.folder, 'library.mjs'), block);
      const { stdout } = await promisify(execFile)(process.execPath, ['library.mjs'], { cwd: project.folder });
      expect(stdout).toContain('x:');
    }
  });
});
