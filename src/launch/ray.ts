import { UsageError } from '../core/errors.js';
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
import { RayJobsApi, type RayJob, type RayJobRequest } from './ray-jobs-api.js';
import { raySchema, type RayOptions } from './ray-schema.js';
import { attendFunctions, prelude, stagesLine, STORAGE_FILE_VARIABLE, STORAGE_VARIABLE } from './worker-script.js';

const STATES: Readonly<Record<string, LaunchedJob['state']>> = {
  PENDING: 'waiting',
  RUNNING: 'running',
  SUCCEEDED: 'done',
  FAILED: 'failed',
  STOPPED: 'stopped',
};

/** Jobs are submitted and stopped so many at a time. */
const AT_ONCE = 8;

function optionsOf(request: LaunchRequest): RayOptions {
  return request.options as unknown as RayOptions;
}

/** @throws UsageError where nothing names the cluster */
function addressOf(options: Pick<RayOptions, 'address'>): string {
  const address = options.address ?? process.env['RAY_API_SERVER_ADDRESS'] ?? process.env['RAY_ADDRESS'];
  if (address !== undefined && /^https?:\/\//.test(address)) return address;
  throw new UsageError(
    address === undefined
      ? 'Nothing names the Ray cluster.'
      : `RAY_ADDRESS names ${address}, which is not the address of a Jobs API.`,
    { hint: 'launch: {ray: {address: http://HOST:8265}}, or RAY_API_SERVER_ADDRESS=http://HOST:8265' },
  );
}

/** Identity of each job: submitting it twice makes one. */
function jobId(name: string, index: number): string {
  return `${name}-w${index}`;
}

/** The job of worker `index`. The first one goes on with the stages once the budget is met. */
function jobOf(request: LaunchRequest, index: number): RayJobRequest {
  const options = optionsOf(request);
  const { storage } = request;
  if (storage.isSecret && options.storageUrlFile === undefined) {
    throw new UsageError('The storage’s URL holds a password, and Ray shows the environment of its jobs.', {
      hint: 'Put the URL into a file on the cluster’s machines and name it: launch: {ray: {storage_url_file: /etc/resweep/storage-url}}',
    });
  }
  const access =
    options.storageUrlFile === undefined
      ? { [STORAGE_VARIABLE]: storage.url }
      : { [STORAGE_FILE_VARIABLE]: options.storageUrlFile };
  const folder = options.folder ?? (options.workingDir === undefined ? request.projectRoot : '.');
  const name = launchName(request);
  const stages = index === 0 && request.stages.length > 0;
  const { numCpus, gpus, memory, resources, workingDir } = options;
  return {
    submission_id: jobId(name, index),
    entrypoint: [
      ...prelude(request, folder),
      ...attendFunctions(request),
      stages ? `worker && ${stagesLine(request)}` : 'worker',
      'exit "$code"',
    ].join('\n'),
    runtime_env: {
      env_vars: access,
      ...(workingDir === undefined ? {} : { working_dir: workingDir }),
    },
    metadata: { launch: name, study: request.study, job_name: `${name} worker ${index}` },
    entrypoint_num_cpus: numCpus,
    ...(gpus === undefined ? {} : { entrypoint_num_gpus: gpus }),
    ...(memory === undefined ? {} : { entrypoint_memory: memory }),
    ...(Object.keys(resources).length === 0 ? {} : { entrypoint_resources: resources }),
  };
}

function allJobs(request: LaunchRequest): RayJobRequest[] {
  return Array.from({ length: request.workers }, (_, index) => jobOf(request, index));
}

async function submit(request: LaunchRequest): Promise<Submitted> {
  const address = addressOf(optionsOf(request));
  const api = new RayJobsApi(address);
  const jobs = allJobs(request);
  try {
    await someAtOnce(jobs, (job) => api.submit(job));
  } catch (error) {
    await someAtOnce(jobs, (job) => api.stop(job.submission_id).catch(() => undefined));
    throw error;
  }
  return { started: true, message: `Ray at ${address} has ${jobs.length} jobs, ${launchName(request)}-w0 and on.` };
}

async function jobs(record: LaunchRecord): Promise<LaunchedJob[]> {
  const name = launchName(record);
  const found = await apiOf(record).list();
  return found
    .flatMap((job) => (job.metadata?.['launch'] === name ? [launchedJob(job, name)] : []))
    .sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
}

function launchedJob(job: RayJob, name: string): LaunchedJob {
  const id = job.submission_id ?? '';
  const node = job.driver_info?.node_ip_address;
  return {
    name: `worker ${id.slice(name.length + 2)}`,
    id,
    state: STATES[job.status] ?? 'failed',
    detail: job.message === null || job.message === '' ? job.status : `${job.status} (${firstLine(job.message)})`,
    ...(node === undefined || node === '' ? {} : { node }),
  };
}

function firstLine(text: string): string {
  return (text.split('\n')[0] ?? '').slice(0, 200);
}

async function cancel(record: LaunchRecord, which: 'waiting' | 'all'): Promise<void> {
  const api = apiOf(record);
  const ended = await jobs(record);
  const wanted = ended.filter(({ state }) => state === 'waiting' || (which === 'all' && state === 'running'));
  await someAtOnce(wanted, (job) => api.stop(job.id));
}

function apiOf(record: LaunchRecord): RayJobsApi {
  const address = record.where['address'];
  if (address === undefined) throw new LaunchError(`Launch ${record.id} names no Ray cluster.`);
  return new RayJobsApi(address);
}

async function someAtOnce<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = [...items];
  const one = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
}

/** Ray: one job for each worker, by the Jobs API. Where jobs run, and how many machines there are, is Ray's affair. */
export const rayLauncher: Launcher = {
  type: 'ray',
  summary: 'Jobs of a Ray cluster.',
  schema: raySchema,
  where: (request) => ({ address: addressOf(optionsOf(request)) }),
  draft: (request): LaunchFile[] =>
    allJobs(request)
      .slice(0, 1)
      .map((job) => ({ name: `one job of ${request.workers}`, text: `${JSON.stringify(job, undefined, 2)}\n` })),
  submit,
  jobs,
  cancel,
  logs: (record, job) => apiOf(record).logs(job.id === '' ? jobId(launchName(record), indexOf(job)) : job.id),
};

function indexOf(job: LaunchedJob): number {
  return Number(/\d+$/.exec(job.name)?.[0] ?? 0);
}
