import { appendFileSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it, vi } from 'vitest';

import { CliProject, exitOf, until, type RunSummary, type TrialRow } from '../../support/cli-project.js';

// Each command is a process of its own, and the machine may be busy.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 120_000 });

const finishedRows = (rows: readonly TrialRow[]): TrialRow[] =>
  rows.filter(({ state }) => state === 'COMPLETE' || state === 'PRUNED');

describe('stopping and going on', () => {
  it('ends on Ctrl-C with everything saved, and the same command goes on', async () => {
    const project = new CliProject({ pauseMs: 40 });
    try {
      const child = project.start('run', project.config);
      await until(() => child.output().includes('[2/10]'), 'two trials');
      child.kill('SIGINT');
      expect(await exitOf(child)).toBe(130);
      const rows = project.json<TrialRow[]>('trials', project.config);
      expect(rows.some(({ state }) => state === 'RUNNING')).toBe(false);
      const summary = project.json<RunSummary>('run', project.config);
      expect(summary.trials).toMatchObject({ complete: 10, running: 0, waiting: 0 });
    } finally {
      project.remove();
    }
  });

  it('leaves at once on a second Ctrl-C, without damage', async () => {
    const project = new CliProject({ pauseMs: 60 });
    try {
      const child = project.start('run', project.config);
      await until(() => child.output().includes('[1/10]'), 'one trial');
      child.kill('SIGTERM');
      child.kill('SIGTERM');
      expect([143, 'SIGTERM']).toContain(await exitOf(child));
      expect(project.json<RunSummary>('run', project.config).trials).toMatchObject({ complete: 10 });
    } finally {
      project.remove();
    }
  });

  it('reaches its total after kills, each trial once, with half of outputs/ lost on the way', async () => {
    const project = new CliProject({ pauseMs: 25 });
    try {
      for (let kill = 0; kill < 4; kill++) {
        const child = project.start('run', project.config, '--trials', '24');
        await until(() => /\[\d+\/24\]/.test(child.output()) || child.exitCode !== null, 'a trial');
        await new Promise((resolve) => setTimeout(resolve, 300 * Math.random()));
        child.kill('SIGKILL');
        await exitOf(child);
        if (kill % 2 === 1) rmSync(join(project.folder, 'outputs'), { recursive: true, force: true });
      }
      const [studyDir] = readdirSync(join(project.folder, 'backups/outputs/hpo/local/demo'));
      const events = join(project.folder, 'outputs/hpo/local/demo', studyDir ?? '', 'events.jsonl');
      if (existsSync(events)) appendFileSync(events, '{"event": "cut of');
      const summary = project.json<RunSummary>('run', project.config, '--trials', '24');
      expect(summary.trials).toMatchObject({ finished: 24, running: 0, waiting: 0 });
      const rows = finishedRows(project.json<TrialRow[]>('trials', project.config));
      expect(rows).toHaveLength(24);
      expect(new Set(rows.map(({ params }) => JSON.stringify(params))).size).toBe(24);
    } finally {
      project.remove();
    }
  });

  it.each(['auto', 'tpe', 'random'])(
    'gives with a kill in the middle what it gives in one go (%s)',
    async (sampler) => {
      const lines = `parallel: 1\nsampler: { type: ${sampler}, seed: 3 }`;
      const whole = new CliProject({ config: lines });
      const broken = new CliProject({ config: lines, pauseMs: 4 });
      try {
        whole.run('run', whole.config, '--trials', '20');
        const child = broken.start('run', broken.config, '--trials', '20');
        await until(() => child.output().includes('[12/20]'), 'twelve trials');
        child.kill('SIGKILL');
        await exitOf(child);
        broken.run('run', broken.config, '--trials', '20');
        const results = (project: CliProject): unknown[] =>
          finishedRows(project.json<TrialRow[]>('trials', project.config)).map(({ params, values }) => ({
            params,
            values,
          }));
        const expected = results(whole);
        expect(expected).toHaveLength(20);
        expect(results(broken)).toEqual(expected);
      } finally {
        whole.remove();
        broken.remove();
      }
    },
  );

  it('keeps the total when two processes work on one study', async () => {
    const project = new CliProject({ pauseMs: 10, config: 'backup: { enabled: false }' });
    try {
      project.run('run', project.config, '--trials', '2');
      const both = [
        project.start('run', project.config, '--trials', '30'),
        project.start('run', project.config, '--trials', '30'),
      ];
      expect(await Promise.all(both.map((child) => exitOf(child)))).toEqual([0, 0]);
      const rows = project.json<TrialRow[]>('trials', project.config);
      expect(rows.map(({ number }) => number)).toEqual(Array.from({ length: 30 }, (_, i) => i));
      expect(finishedRows(rows)).toHaveLength(30);
    } finally {
      project.remove();
    }
  });
});
