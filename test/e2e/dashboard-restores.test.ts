import { rmSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, describe, expect, it } from 'vitest';

import { findStudies } from '../../src/app/studies/study-catalog.js';
import { CliProject } from '../support/cli-project.js';

describe('the studies of a dashboard that is given a configuration', () => {
  const project = new CliProject({ config: 'trials: 3' });
  const config = join(project.folder, project.config);
  afterAll(() => {
    project.remove();
  });

  it('are shown as missing where they are nowhere, and come back from a backup where outputs are gone', async () => {
    const [nowhere] = await findStudies([config]);
    expect(nowhere).toMatchObject({ studyName: 'quadratic', error: expect.stringContaining('resweep run') });
    expect(project.run('run', project.config).code).toBe(0);
    rmSync(join(project.folder, 'outputs'), { recursive: true });
    const [found] = await findStudies([config]);
    expect(found).toMatchObject({ id: nowhere?.id, studyName: 'quadratic', error: undefined });
    expect(project.json<{ trials: { finished: number } }>('status', project.config).trials.finished).toBe(3);
  });
});
