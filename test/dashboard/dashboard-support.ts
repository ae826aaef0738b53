import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { FigureAnswers } from '../../src/dashboard/figure-answers.js';
import { dashboardApp } from '../../src/dashboard/server.js';
import { Studies } from '../../src/dashboard/studies.js';
import { RandomSampler } from '../../src/samplers/random-sampler.js';
import { createStudy } from '../../src/study/create-study.js';

/** A project folder with studies, and the dashboard's answers without a socket. */
export class DashboardProject {
  readonly root = mkdtempSync(join(tmpdir(), 'resweep-dashboard-'));
  readonly studies: Studies;
  readonly figures = new FigureAnswers();
  readonly app: ReturnType<typeof dashboardApp>;

  constructor(options: { token?: string } = {}) {
    writeFileSync(join(this.root, 'package.json'), '{}');
    mkdirSync(join(this.root, 'outputs'));
    this.studies = new Studies([this.root]);
    this.app = dashboardApp(this.studies, this.figures, { hosts: ['localhost', '127.0.0.1'], token: options.token });
  }

  studyDir(study8: string, backbone = 'mlp'): string {
    const folder = join(this.root, 'outputs', 'hpo', 'local', backbone, `study-${study8}`);
    mkdirSync(folder, { recursive: true });
    return folder;
  }

  /** A study whose trials report, are pruned and fail. */
  async makeStudy(study8: string, count: number): Promise<string> {
    const folder = this.studyDir(study8);
    const study = await createStudy({
      storage: join(folder, 'study.db'),
      studyName: `study-of-${count}`,
      direction: 'minimize',
      sampler: new RandomSampler({ seed: 4 }),
    });
    await study.setMetricNames(['loss']);
    await study.optimize(
      async (trial) => {
        const x = trial.suggestFloat('x', -5, 5);
        const kind = trial.suggestCategorical('kind', ['a', 'b']);
        await trial.report(x * x, 1);
        if (trial.number % 6 === 5) throw new Error('on purpose');
        return x * x + (kind === 'a' ? 0 : 1);
      },
      { nTrials: count, catch: [Error] },
    );
    await study.close();
    await study.storage.close();
    return folder;
  }

  async request(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    if (!headers.has('host')) headers.set('host', 'localhost:8484');
    return await this.app.request(`http://localhost:8484${path}`, { ...init, headers });
  }

  // The caller knows what it asks for.

  async get<T>(path: string): Promise<T> {
    const response = await this.request(path);
    if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
    return (await response.json()) as T;
  }

  async post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
    return await this.request(path, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json', 'x-resweep': '1', origin: 'http://localhost:8484', ...headers },
    });
  }

  async close(): Promise<void> {
    await Promise.all([this.studies.close(), this.figures.close()]);
    rmSync(this.root, { recursive: true, force: true });
  }
}
