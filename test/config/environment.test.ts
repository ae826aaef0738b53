import { expect, test } from 'vitest';

import { detectEnvironment } from '../../src/config/environment.js';
import * as paths from '../../src/core/study-paths.js';

test.each<[string, Readonly<Record<string, string>>]>([
  ['local', {}],
  ['colab', { COLAB_RELEASE_TAG: 'release-colab-20260101' }],
  ['kaggle', { KAGGLE_KERNEL_RUN_TYPE: 'Interactive' }],
  ['slurm', { SLURM_JOB_ID: '42' }],
  ['github-actions', { GITHUB_ACTIONS: 'true' }],
  ['gitlab-ci', { GITLAB_CI: 'true' }],
  ['kubernetes', { KUBERNETES_SERVICE_HOST: '10.0.0.1' }],
  ['slurm', { SLURM_JOB_ID: '42', KUBERNETES_SERVICE_HOST: '10.0.0.1' }],
  ['local', { GITHUB_ACTIONS: 'false', SLURM_JOB_ID: '' }],
  ['my-cluster', { RESWEEP_ENVIRONMENT: 'my-cluster', SLURM_JOB_ID: '42' }],
  ['slurm', { RESWEEP_ENVIRONMENT: '../x', SLURM_JOB_ID: '42' }],
])('%s by %j', (environment, env) => {
  expect(detectEnvironment(env)).toBe(environment);
});

test('folders and files of a study and of the stages after it', () => {
  const place = { projectRoot: '/p', environment: 'local', backbone: 'mlp' };
  const study = paths.studyDirOf('/p', place, '0123abcd');
  expect(study).toBe('/p/outputs/hpo/local/mlp/study-0123abcd');
  expect(paths.trialDirOf(study, 7, '89abcdef')).toBe(
    '/p/outputs/hpo/local/mlp/study-0123abcd/trials/trial-0007-89abcdef',
  );
  expect(paths.trialFolderName(12_345, '89abcdef')).toBe('trial-12345-89abcdef');
  expect(paths.parseTrialFolderName('trial-12345-89abcdef')).toEqual({ number: 12_345, trial8: '89abcdef' });
  expect(paths.parseTrialFolderName('trial-7-89abcdef')).toBeUndefined();
  expect(paths.study8OfFolderName('study-0123abcd')).toBe('0123abcd');
  expect(paths.study8OfFolderName('study-0123abcg')).toBeUndefined();
  expect(paths.selectionFile(place, '0123abcd')).toBe('/p/outputs/best_configuration/local/mlp/study-0123abcd.json');
  expect(paths.finalTrainingFolder(place, '00000001')).toBe('/p/outputs/final_training/local/mlp/spec-00000001');
  expect(paths.conversionFolder(place, '00000001', '00000002')).toBe(
    '/p/outputs/conversion/local/mlp/spec-00000001/conv-00000002',
  );
});
