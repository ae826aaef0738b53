import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { RandomSampler } from '../../src/samplers/random-sampler.js';
import { createStudy } from '../../src/study/create-study.js';
import { CliProject } from '../support/cli-project.js';

describe('resweep report', () => {
  let project: CliProject;
  beforeAll(() => {
    project = new CliProject({ config: 'trials: 12' });
    expect(project.run('run', project.config).code).toBe(0);
  });
  afterAll(() => {
    project.remove();
  });

  it('writes one page, a picture and the numbers of each figure', () => {
    const args = ['--out', 'report.html', '--svg', 'svg', '--png', 'png', '--csv', 'csv'];
    const { files, figures } = project.json<{ files: string[]; figures: string[] }>('report', project.config, ...args);
    expect(figures).toContain('optimizationHistory');
    expect(files).toHaveLength(3 * figures.length + 1);
    const page = readFileSync(join(project.folder, 'report.html'), 'utf8');
    expect(page).toContain('quadratic');
    expect(page).toContain('Learning curves');
    expect(readdirSync(join(project.folder, 'svg'))).toContain('parallel-coordinate.svg');
    const png = readFileSync(join(project.folder, 'png', 'optimization-history.png'));
    expect(png.subarray(1, 4).toString()).toBe('PNG');
    const rows = readFileSync(join(project.folder, 'csv', 'optimization-history.csv'), 'utf8')
      .trimEnd()
      .split('\n');
    expect(rows).toHaveLength(13);
  });

  it('shows each of several objectives, and lists what keeps to the constraints first', async () => {
    const storage = join(project.folder, 'two.db');
    const study = await createStudy({
      storage,
      studyName: 'two / goals',
      directions: ['minimize', 'maximize'],
      sampler: new RandomSampler({ seed: 3 }),
    });
    await study.setMetricNames(['cost', 'quality']);
    await study.optimize(
      (trial) => {
        const [x, y] = [trial.suggestFloat('x', 0, 1), trial.suggestFloat('y', 0, 1)];
        trial.setConstraint('x not small', 0.3 - x);
        return [x, y];
      },
      { nTrials: 12 },
    );
    const all = [...study.history.all];
    await study.close();
    await study.storage.close();
    const args = ['--out', 'two.html', '--svg', 'two-svg', '--csv', 'two-csv'];
    const { files, figures } = project.json<{ files: string[]; figures: string[] }>('report', storage, ...args);
    expect(files).toHaveLength(2 * figures.length + 1);
    const numbers = readFileSync(join(project.folder, 'two-csv', 'optimization-history-1.csv'), 'utf8');
    const [head, ...rows] = numbers.trimEnd().split('\n');
    expect(head).toContain('quality');
    expect(rows.map((row) => Number(row.split(',')[3]))).toEqual(all.map(({ values }) => values?.[1]));
    expect(readdirSync(join(project.folder, 'two-svg'))).toEqual(
      expect.arrayContaining(['slice.svg', 'slice-1.svg', 'edf-1.svg', 'contour-1.svg', 'rank-1.svg']),
    );
    const page = readFileSync(join(project.folder, 'two.html'), 'utf8');
    expect(page).toContain('History: cost');
    expect(page).toContain('History: quality');
    const listed = [...page.slice(page.lastIndexOf('>Trials<')).matchAll(/<tr>[^]*?<\/tr>/g)].slice(1).map(String);
    const violating = all.filter(({ isFeasible }) => !isFeasible);
    expect(violating.length).toBeGreaterThan(0);
    expect(listed.map((row) => row.includes('violates a constraint'))).toEqual(
      all.map((_, i) => i >= all.length - violating.length),
    );
  });

  it('draws the most important of many parameters, with the numbers of all', async () => {
    const storage = join(project.folder, 'many.db');
    const study = await createStudy({ storage, studyName: 'many', sampler: new RandomSampler({ seed: 3 }) });
    await study.optimize(
      (trial) => {
        const values = Array.from({ length: 30 }, (_, i) => trial.suggestFloat(`p${i}`, 0, 1));
        return 100 * (values[29] ?? 0) + (values[0] ?? 0);
      },
      { nTrials: 30 },
    );
    await study.close();
    await study.storage.close();
    project.json('report', storage, '--out', 'many.html', '--csv', 'many-csv', '--svg', 'many-svg');
    expect(readFileSync(join(project.folder, 'many.html'), 'utf8')).toContain('the 10 most important of 30 parameters');
    const picture = readFileSync(join(project.folder, 'many-svg', 'parallel-coordinate.svg'), 'utf8');
    expect(picture.match(/>p\d+</g)).toHaveLength(10);
    expect(picture).toContain('>p29<');
    const [head = ''] = readFileSync(join(project.folder, 'many-csv', 'parallel-coordinate.csv'), 'utf8').split('\n');
    expect(head.split(',')).toHaveLength(32);
  });

  it('says what it needs', () => {
    const { code, stderr } = project.run('report', project.config);
    expect(code).toBe(2);
    expect(stderr).toContain('--out report.html');
    expect(existsSync(join(project.folder, 'undefined'))).toBe(false);
  });
});
