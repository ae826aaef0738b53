import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';

import { startLaunch } from '../../src/app/launch/start-launch.js';
import { UsageError } from '../../src/core/errors.js';
import { CliProject } from '../support/cli-project.js';

const URL_WITH_PASSWORD = 'postgresql://me:geheim-7@db.example.org:5432/sweeps';
let project: CliProject;

beforeAll(() => {
  project = new CliProject();
  process.env['SWEEP_DB'] = URL_WITH_PASSWORD;
});
afterAll(() => {
  delete process.env['SWEEP_DB'];
  project.remove();
});

function configure(engine: string, options: string): void {
  project.writeConfig(`storage: \${SWEEP_DB}\nlaunch: { ${engine}: { ${options} } }`);
}

function dryRun(engine: string, options: string, ...args: string[]) {
  configure(engine, options);
  return project.run('launch', engine, project.config, '--workers', '8', '--dry-run', ...args);
}

describe('launch --dry-run', () => {
  it('Slurm: resources of the YAML and of the command line, requeue, stages after it, a script that the shell takes', () => {
    const { stdout, stderr, code } = dryRun(
      'slurm',
      'partition: cpu, gres: "gpu:1", time: 4h, mem: 8GB, cpus_per_task: 4, max_running: 3, stages: [select, train], setup: ["module load x"]',
      '--partition',
      'gpu',
    );
    expect([code, stderr]).toEqual([0, '']);
    for (const line of [
      '--array=0-7%3',
      '--partition=gpu',
      '--gres=gpu:1',
      '--time=0-04:00:00',
      '--mem=7812500K',
      '--cpus-per-task=4',
      '--requeue',
      '--signal=B:USR1@60',
    ])
      expect(stdout).toContain(`#SBATCH ${line}\n`);
    expect(stdout).toContain('module load x');
    expect(stdout).toContain('stages.sbatch (--dependency=afterany:WORKERS)');
    expect(stdout).toMatch(
      /worker --check --study quadratic && .* select configs\/sweep.yaml && .* train configs\/sweep.yaml/,
    );
    expect(stdout).not.toContain('geheim');
    execFileSync('bash', ['-n'], { input: stdout });
    // Nothing came into being.
    expect(readdirSync(project.folder)).not.toContain('outputs');
  });

  it('Kubernetes: an Indexed Job that takes its URL from a secret', () => {
    const { stdout, code } = dryRun(
      'kubernetes',
      'image: "r/x:1", gpus: 1, retries: 2, stages: [select], secrets: [s3]',
    );
    expect(code).toBe(0);
    expect(stdout).not.toContain('geheim');
    const { spec } = parse(stdout) as { spec: Record<string, unknown> };
    expect(spec).toMatchObject({
      completionMode: 'Indexed',
      completions: 8,
      parallelism: 8,
      backoffLimitPerIndex: 2,
      podFailurePolicy: { rules: [{ action: 'Ignore' }, { action: 'FailIndex' }] },
      template: {
        spec: {
          containers: [
            {
              image: 'r/x:1',
              env: [
                {},
                { name: 'RESWEEP_STORAGE_URL', valueFrom: { secretKeyRef: { name: 'resweep', key: 'storage-url' } } },
              ],
              resources: { limits: { 'nvidia.com/gpu': '1' } },
            },
          ],
        },
      },
    });
  });

  it.each([
    ['slurm', 'partitoin: gpu', 'Did you mean "partition"?'],
    ['slurm', 'time: 4', 'launch.slurm.time'],
    ['slurm', 'partition: "a b"', 'launch.slurm.partition'],
    ['slurm', 'sbatch: ["rm -rf /"]', 'launch.slurm.sbatch'],
    ['kubernetes', 'namespace: Bad_Name', 'launch.kubernetes.namespace'],
    ['kubernetes', 'cpu: many', 'launch.kubernetes.cpu'],
    ['kubernetes', 'retries: 1', 'Nothing names the image'],
    ['ray', 'num_cpus: -1', 'launch.ray.num_cpus'],
    ['ray', 'num_cpus: 1', 'storage_url_file'],
    ['slrum', 'partition: gpu', 'Did you mean "slurm"?'],
  ])('%s %s is refused', async (engine, options, message) => {
    configure(engine, options);
    const launch = startLaunch({
      engine: engine === 'slrum' ? 'slurm' : engine,
      configPath: join(project.folder, project.config),
      workers: 8,
      dryRun: true,
      say: () => undefined,
    });
    const error = await launch.then(
      () => undefined,
      (problem: unknown) => problem,
    );
    expect(error).toBeInstanceOf(UsageError);
    const { message: text, hint } = error as UsageError;
    expect(`${text}\n${hint ?? ''}`).toContain(message);
  });

  it('a study in a file is refused, and says what to do', () => {
    project.writeConfig('');
    const { code, stderr } = project.run('launch', 'slurm', project.config, '--workers', '2');
    expect([code, stderr]).toEqual([2, expect.stringContaining('storage: ${DATABASE_URL}')]);
  });
});
