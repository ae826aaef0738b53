import { execFileSync, spawnSync } from 'node:child_process';
import { dirname, join, resolve } from 'node:path';

import { describe, expect, it } from 'vitest';

import { kubernetesJob } from '../../../src/launch/kubernetes-manifest.js';
import { kubernetesSchema } from '../../../src/launch/kubernetes-schema.js';
import type { ComponentOptions } from '../../../src/core/sweep-config.js';
import { camelKeys } from '../../../src/core/key-case.js';

const PYTHON = process.env['RESWEEP_PYTHON'] ?? '';
const VALIDATE = `
import json, sys, kubernetes_validate
kubernetes_validate.validate(json.load(sys.stdin), sys.argv[1], strict=True)
`;

const EVERYTHING = {
  image: 'registry.example.org/sweeps:1',
  namespace: 'sweeps',
  secrets: ['resweep-s3'],
  volumes: [{ claim: 'backups', path: '/backups' }],
  gpus: 2,
  node_selector: { pool: 'gpu' },
  tolerations: [{ key: 'gpu', operator: 'Exists', effect: 'NoSchedule' }],
  service_account: 'sweeper',
  priority_class: 'low',
  pull_secret: 'registry',
  env: { OMP_NUM_THREADS: 1 },
};

function manifest(options: Record<string, unknown>): Readonly<Record<string, unknown>> {
  return kubernetesJob({
    ...{ id: '0a1b2c3d', study: "a study's name", study8: '01234567', projectRoot: '/p', configPath: 'configs/x.yaml' },
    ...{ workers: 8, jobs: 2, stages: ['select', 'train', 'convert'] },
    storage: { url: 'postgresql://h/d', shown: 'postgresql://h/d', isSecret: false },
    options: camelKeys(kubernetesSchema.parse(options) as ComponentOptions),
  });
}

/** What the published schema of that version, unknown keys refused, has against it. */
function problems(job: unknown, version: string): string {
  const { status, stderr } = spawnSync(PYTHON, ['-c', VALIDATE, version], {
    input: JSON.stringify(job),
    encoding: 'utf8',
  });
  return status === 0 ? '' : stderr;
}

describe('the manifest for Kubernetes', () => {
  it.each(['1.29', '1.33', '1.37'])('is a batch/v1 Job by the published schema of %s', (version) => {
    expect(problems(manifest({ image: 'x:1' }), version)).toBe('');
    expect(problems(manifest(EVERYTHING), version)).toBe('');
    expect(problems({ ...manifest(EVERYTHING), sepc: {} }, version)).not.toBe('');
  });

  it('its script is one that the shell takes', () => {
    const { spec } = manifest(EVERYTHING) as {
      spec: { template: { spec: { containers: { command: string[] }[] } } };
    };
    const [, , script] = spec.template.spec.containers[0]?.command ?? [];
    execFileSync('sh', ['-n'], { input: script });
    expect(script).toContain("resweep worker --study 'a study'\\''s name' --jobs 2");
  });
});

describe('the Dockerfile', () => {
  it('passes hadolint', () => {
    const { status, stdout } = spawnSync(join(dirname(PYTHON), 'hadolint'), [resolve('Dockerfile')], {
      encoding: 'utf8',
    });
    expect([status, stdout]).toEqual([0, '']);
  });
});
