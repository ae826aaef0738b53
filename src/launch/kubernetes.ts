import { stringify } from 'yaml';

import { kubernetesJob, LAUNCH_LABEL, SECRET_KEY } from './kubernetes-manifest.js';
import { kubernetesSchema, type KubernetesOptions } from './kubernetes-schema.js';
import { LaunchError } from './launch-error.js';
import {
  launchName,
  type LaunchedJob,
  type Launcher,
  type LaunchFile,
  type LaunchRecord,
  type LaunchRequest,
  type Submitted,
} from './launcher.js';
import { mustRun, runProgram } from './run-program.js';

const STATES: Readonly<Record<string, LaunchedJob['state']>> = {
  Pending: 'waiting',
  Running: 'running',
  Succeeded: 'done',
  Failed: 'failed',
};

/** A pod as kubectl shows it, as far as it matters here. */
interface Pod {
  readonly metadata: {
    readonly name: string;
    readonly creationTimestamp: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
  readonly spec?: { readonly nodeName?: string };
  readonly status?: { readonly phase?: string; readonly reason?: string };
}

const INDEX = 'batch.kubernetes.io/job-completion-index';

function manifest(request: LaunchRequest): string {
  const { secret, namespace } = request.options as unknown as KubernetesOptions;
  const place = namespace === undefined ? '' : ` -n ${namespace}`;
  return [
    `# Workers of the sweep "${request.study}". The storage's URL comes from a secret:`,
    `#   kubectl${place} create secret generic ${secret} --from-literal=${SECRET_KEY}="$DATABASE_URL"`,
    stringify(kubernetesJob(request), { lineWidth: 0 }),
  ].join('\n');
}

/** Options that name the cluster, for every call of kubectl. */
function placeOf(where: Readonly<Record<string, string>>): string[] {
  const { context, namespace } = where;
  return [
    ...(context === undefined ? [] : [`--context=${context}`]),
    ...(namespace === undefined ? [] : [`--namespace=${namespace}`]),
  ];
}

function whereOf(request: LaunchRequest): Readonly<Record<string, string>> {
  const { context, namespace } = request.options as unknown as KubernetesOptions;
  return { ...(context === undefined ? {} : { context }), ...(namespace === undefined ? {} : { namespace }) };
}

async function submit(request: LaunchRequest): Promise<Submitted> {
  const text = manifest(request);
  const name = launchName(request);
  if (!(await isConfigured(whereOf(request)))) {
    return {
      started: false,
      message:
        'kubectl knows no cluster here, so nothing was started. Hand the manifest above to kubectl apply -f - where it does.',
    };
  }
  await mustRun('kubectl', [...placeOf(whereOf(request)), 'apply', '-f', '-'], { input: text });
  return { started: true, message: `Kubernetes has the job ${name}.` };
}

async function isConfigured(where: Readonly<Record<string, string>>): Promise<boolean> {
  if (where['context'] !== undefined) return true;
  try {
    return (await runProgram('kubectl', ['config', 'current-context'])).code === 0;
  } catch (error) {
    if (error instanceof LaunchError) return false;
    throw error;
  }
}

async function jobs(record: LaunchRecord): Promise<LaunchedJob[]> {
  const args = ['get', 'pods', '-l', `${LAUNCH_LABEL}=${record.id}`, '-o', 'json'];
  const text = await mustRun('kubectl', [...placeOf(record.where), ...args]);
  const { items } = JSON.parse(text) as { readonly items: readonly Pod[] };
  // Of each index the newest pod counts; those before it were replaced.
  const newest = new Map<string, Pod>();
  for (const pod of items) {
    const index = pod.metadata.annotations?.[INDEX] ?? '0';
    const other = newest.get(index);
    if (other === undefined || pod.metadata.creationTimestamp >= other.metadata.creationTimestamp)
      newest.set(index, pod);
  }
  return [...newest]
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([index, { metadata, spec, status }]) => ({
      name: `worker ${index}`,
      id: metadata.name,
      state: STATES[status?.phase ?? ''] ?? 'waiting',
      detail: [status?.phase, status?.reason, metadata.deletionTimestamp && 'leaving'].filter(Boolean).join(', '),
      ...(spec?.nodeName === undefined ? {} : { node: spec.nodeName }),
    }));
}

/** Pods that wait cannot be ended alone; they leave by themselves as soon as they begin, since their launch is stopped. */
async function cancel(record: LaunchRecord, which: 'waiting' | 'all'): Promise<void> {
  if (which === 'waiting') return;
  const args = ['delete', 'job', launchName(record), '--ignore-not-found', '--wait=false'];
  await mustRun('kubectl', [...placeOf(record.where), ...args]);
}

async function logs(record: LaunchRecord, job: LaunchedJob): Promise<string> {
  if (job.id === '') throw new LaunchError(`Kubernetes knows no ${job.name} of launch ${record.id} any more.`);
  return mustRun('kubectl', [...placeOf(record.where), 'logs', job.id]);
}

/** Kubernetes: an Indexed Job, written as a manifest and applied where kubectl knows a cluster. */
export const kubernetesLauncher: Launcher = {
  type: 'kubernetes',
  summary: 'An Indexed Job of Kubernetes.',
  schema: kubernetesSchema,
  where: whereOf,
  draft: (request): LaunchFile[] => [{ name: 'job.yaml', text: manifest(request) }],
  submit,
  jobs,
  cancel,
  logs,
};
