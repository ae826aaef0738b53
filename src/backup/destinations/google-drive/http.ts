import type { Readable } from 'node:stream';

import { loadOptional } from '../../../core/optional-package.js';
import { noAnswer, type Answer } from './request-error.js';

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | undefined;
  readonly signal: AbortSignal;
}

/**
 * One request, one answer, whatever its status; redirects are not followed and nothing is repeated. Sent by the client library of
 * Google, so that proxies from the environment are used as they are for all its other calls.
 * @throws DestinationError where no answer came
 */
export async function sendHttp(what: string, request: HttpRequest): Promise<Answer> {
  const { gaxios } = await loadOptional('google-auth-library', 'Google Drive', () => import('google-auth-library'));
  const { method, url, headers = {}, body, signal } = request;
  try {
    const response = await gaxios.request<string>({
      method,
      url,
      headers: { ...headers },
      ...(body === undefined ? {} : { data: body }),
      responseType: 'text',
      redirect: 'manual',
      retry: false,
      validateStatus: () => true,
      signal,
    });
    return { status: response.status, headers: response.headers, body: response.data };
  } catch (error) {
    throw noAnswer(what, error, signal);
  }
}

/** Reads a stream whole; at its end or with an error. */
export async function readAll(stream: Readable): Promise<Buffer> {
  const blocks: Buffer[] = [];
  for await (const block of stream) blocks.push(block as Buffer);
  return Buffer.concat(blocks);
}
