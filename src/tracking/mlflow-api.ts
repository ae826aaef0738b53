import { ResweepError } from '../core/errors.js';
import { redactUrls } from '../core/storage-url.js';

/** Longest time of one request. */
const TIMEOUT_MS = 20_000;

export type Fields = Readonly<Record<string, unknown>>;

/** A request that MLflow refused, or that did not reach it. */
export class MlflowError extends ResweepError {
  /** MLflow's own word for it, such as `RESOURCE_DOES_NOT_EXIST`. */
  readonly reason: string;

  constructor(message: string, reason: string, options: { cause?: unknown } = {}) {
    super('MLFLOW', message, options);
    this.reason = reason;
  }
}

/** MLflow's REST API, version 2.0. Signs in by `MLFLOW_TRACKING_TOKEN`, or `…_USERNAME` and `…_PASSWORD`, or what stands in the URL. */
export class MlflowApi {
  readonly location: string;
  readonly #base: string;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(url: string, env: Readonly<Record<string, string | undefined>> = process.env) {
    const parsed = new URL(url);
    const user = parsed.username === '' ? env['MLFLOW_TRACKING_USERNAME'] : decodeURIComponent(parsed.username);
    const password = parsed.password === '' ? env['MLFLOW_TRACKING_PASSWORD'] : decodeURIComponent(parsed.password);
    const token = env['MLFLOW_TRACKING_TOKEN'];
    const authorization =
      user !== undefined
        ? `Basic ${Buffer.from(`${user}:${password ?? ''}`).toString('base64')}`
        : token === undefined
          ? undefined
          : `Bearer ${token}`;
    parsed.username = parsed.password = '';
    this.location = parsed.href.replace(/\/$/, '');
    this.#base = `${this.location}/api/2.0/mlflow/`;
    this.#headers = {
      'content-type': 'application/json',
      ...(authorization === undefined ? {} : { authorization }),
    };
  }

  /** @throws MlflowError */
  get(path: string, query: Readonly<Record<string, string>>): Promise<Fields> {
    return this.#request(`${path}?${new URLSearchParams(query).toString()}`, {});
  }

  /** @throws MlflowError */
  post(path: string, body: Fields): Promise<Fields> {
    return this.#request(path, { method: 'POST', body: JSON.stringify(body) });
  }

  async #request(path: string, init: RequestInit): Promise<Fields> {
    let response: Response;
    let text: string;
    try {
      const signal = AbortSignal.timeout(TIMEOUT_MS);
      response = await fetch(this.#base + path, { ...init, headers: this.#headers, signal });
      text = await response.text();
    } catch (error) {
      const { message, cause } = error as Error;
      const detail = cause instanceof Error ? cause.message || (cause as NodeJS.ErrnoException).code : message;
      throw new MlflowError(`MLflow at ${this.location} does not answer: ${redactUrls(detail ?? message)}`, '', {
        cause: error,
      });
    }
    const fields = parse(text);
    if (response.ok) return fields;
    const reason = typeof fields['error_code'] === 'string' ? fields['error_code'] : '';
    const detail = typeof fields['message'] === 'string' ? fields['message'] : text.slice(0, 200);
    throw new MlflowError(
      `MLflow at ${this.location} refused ${path.replace(/\?.*/, '')} (${response.status} ${reason}): ${redactUrls(detail.split('\n')[0]?.slice(0, 200) ?? '')}`,
      reason,
    );
  }
}

function parse(text: string): Fields {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Fields) : {};
  } catch {
    return {};
  }
}
