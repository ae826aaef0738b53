/** Name of the variable that sets the label of this machine. */
const OVERRIDE = 'RESWEEP_ENVIRONMENT';

/** First match wins: the narrower surroundings stand before those that they run in. */
const SIGNS: readonly (readonly [environment: string, variables: readonly string[]])[] = [
  ['kaggle', ['KAGGLE_KERNEL_RUN_TYPE', 'KAGGLE_URL_BASE']],
  ['colab', ['COLAB_RELEASE_TAG', 'COLAB_JUPYTER_IP', 'COLAB_BACKEND_VERSION']],
  ['sagemaker', ['SM_TRAINING_ENV', 'SAGEMAKER_JOB_NAME']],
  ['paperspace', ['PAPERSPACE_FQDN', 'PAPERSPACE_NOTEBOOK_ID']],
  ['lightning', ['LIGHTNING_CLOUD_PROJECT_ID']],
  ['aws-batch', ['AWS_BATCH_JOB_ID']],
  ['slurm', ['SLURM_JOB_ID', 'SLURM_JOBID']],
  ['ray', ['RAY_JOB_ID', 'RAY_NODE_IP_ADDRESS']],
  ['github-actions', ['GITHUB_ACTIONS']],
  ['gitlab-ci', ['GITLAB_CI']],
  ['codespaces', ['CODESPACES']],
  ['gitpod', ['GITPOD_WORKSPACE_ID']],
  ['kubernetes', ['KUBERNETES_SERVICE_HOST']],
];

/** What may stand in a path for an environment or a backbone. */
export const FOLDER_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

/** Where this process runs: `RESWEEP_ENVIRONMENT` if it is set to a usable name, else by the variables that each service sets, else `local`. */
export function detectEnvironment(env: Readonly<Record<string, string | undefined>> = process.env): string {
  const override = env[OVERRIDE];
  if (override !== undefined && FOLDER_NAME.test(override)) return override;
  const isSet = (name: string): boolean => (env[name] ?? '') !== '' && env[name] !== 'false';
  return SIGNS.find(([, variables]) => variables.some(isSet))?.[0] ?? 'local';
}
