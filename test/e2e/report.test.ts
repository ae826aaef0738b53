import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

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

  it('says what it needs', () => {
    const { code, stderr } = project.run('report', project.config);
    expect(code).toBe(2);
    expect(stderr).toContain('--out report.html');
    expect(existsSync(join(project.folder, 'undefined'))).toBe(false);
  });
});
