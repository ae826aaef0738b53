import http from 'node:http';
import https from 'node:https';

import { messageOf } from '../core/errors.js';
import { LaunchError } from './launch-error.js';

/** A job as `POST /api/jobs/` takes it. */
export interface RayJobRequest {
  readonly entrypoint: string;
  readonly submission_id: string;
  readonly runtime_env: Readonly<Record<string, unknown>>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly entrypoint_num_cpus?: number;
  readonly entrypoint_num_gpus?: number;
  readonly entrypoint_memory?: number;
  readonly entrypoint_resources?: Readonly<Record<string, number>>;
}

/** A job as `GET /api/jobs/` shows it, as far as it matters here. */
export interface RayJob {
  readonly submission_id: string | null;
  readonly status: string;
  readonly message: string | null;
  readonly metadata: Readonly<Record<string, string>> | null;
  readonly driver_node_id?: string | null;
  readonly driver_info?: { readonly node_ip_address?: string } | null;
}

/** Ray's Jobs API at one address. Headers of its own come from `RAY_JOB_HEADERS` (JSON), as with Ray's own client. */
export class RayJobsApi {
  readonly #address: string;

  constructor(address: string) {
    this.#address = address.replace(/\/+$/, '');
  }

  /** Hands a job over; one that is there under this id already counts as handed over. @throws LaunchError */
  async submit(job: RayJobRequest): Promise<void> {
    try {
      await this.#call('POST', '/api/jobs/', job);
    } catch (error) {
      // An answer that was lost, or a call that was repeated: the id tells.
      const there = await this.get(job.submission_id).catch(() => undefined);
      if (there?.metadata?.['launch'] !== job.metadata['launch']) throw error;
    }
  }

  /** Undefined where Ray knows no such job. @throws LaunchError */
  async get(id: string): Promise<RayJob | undefined> {
    try {
      return (await this.#call('GET', `/api/jobs/${id}`)) as RayJob;
    } catch (error) {
      if (error instanceof RayAnswer && error.status === 404) return undefined;
      throw error;
    }
  }

  /** @throws LaunchError */
  async list(): Promise<readonly RayJob[]> {
    return (await this.#call('GET', '/api/jobs/')) as readonly RayJob[];
  }

  /** Asks a job to end; one that has ended stays as it is. @throws LaunchError */
  async stop(id: string): Promise<void> {
    await this.#call('POST', `/api/jobs/${id}/stop`);
  }

  /** @throws LaunchError */
  async logs(id: string): Promise<string> {
    const answer = (await this.#call('GET', `/api/jobs/${id}/logs`)) as { readonly logs?: string };
    return answer.logs ?? '';
  }

  async #call(method: string, path: string, body?: unknown): Promise<unknown> {
    let status: number;
    let text: string;
    try {
      ({ status, text } = await send(new URL(this.#address + path), method, body));
    } catch (error) {
      throw new LaunchError(`Ray does not answer at ${this.#address}: ${messageOf(error)}`, {
        cause: error,
        hint: 'ray start --head --dashboard-host=…, and launch: {ray: {address: http://HOST:8265}}',
      });
    }
    if (status >= 300) throw new RayAnswer(status, `Ray refused ${method} ${path}: ${lastLine(text)}`);
    try {
      return JSON.parse(text);
    } catch (error) {
      throw new LaunchError(`Ray answered ${method} ${path} with something that is no JSON.`, { cause: error });
    }
  }
}

/** Not by `fetch`: Ray takes its headers for those of a browser, and refuses them. */
function send(url: URL, method: string, body: unknown): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const call = (url.protocol === 'https:' ? https : http).request(url, {
      method,
      headers: { 'content-type': 'application/json', ...ownHeaders() },
      timeout: 60_000,
    });
    call.once('timeout', () => call.destroy(new Error('no answer within a minute')));
    call.once('error', reject);
    call.once('response', (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.once('error', reject);
      response.once('end', () => {
        resolve({ status: response.statusCode ?? 0, text });
      });
    });
    call.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

class RayAnswer extends LaunchError {
  readonly status: number;

  constructor(status: number, message: string) {
    super(`${message} (HTTP ${status})`);
    this.status = status;
  }
}

/** Of a Python traceback the last line says what is wrong. */
function lastLine(text: string): string {
  return (text.trim().split('\n').at(-1) ?? '').slice(0, 500);
}

function ownHeaders(): Readonly<Record<string, string>> {
  const text = process.env['RAY_JOB_HEADERS'];
  if (text === undefined || text === '') return {};
  try {
    return JSON.parse(text) as Record<string, string>;
  } catch (error) {
    throw new LaunchError('RAY_JOB_HEADERS is no JSON.', { cause: error });
  }
}
