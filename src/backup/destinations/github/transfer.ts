import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

const IDLE_MS = 60_000;

export interface Transfer {
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string | number>>;
  /** Bytes, or a stream of as many as `content-length` says. */
  readonly body?: Uint8Array | Readable | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** One request whose body is not JSON, streamed both ways. Redirects are not followed. */
export async function transfer(url: string, { method, headers, body, signal }: Transfer): Promise<IncomingMessage> {
  const send = url.startsWith('http:') ? httpRequest : httpsRequest;
  const request = send(url, { method, headers: { ...headers }, ...(signal === undefined ? {} : { signal }) });
  request.setTimeout(IDLE_MS, () => {
    request.destroy(Object.assign(new Error(`nothing moved for ${IDLE_MS / 1000} s`), { code: 'ETIMEDOUT' }));
  });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve);
    request.on('error', reject);
  });
  answered.catch(() => undefined);
  if (body === undefined) request.end();
  else if (body instanceof Readable) {
    try {
      await pipeline(body, request);
    } catch (error) {
      // An early answer says more than the pipe that it broke.
      return await Promise.race([answered, rejectLater(error)]);
    }
  } else request.end(body);
  return answered;
}

function rejectLater(error: unknown): Promise<never> {
  return new Promise((_, reject) => {
    setTimeout(() => {
      reject(error instanceof Error ? error : new Error(String(error)));
    }, 200);
  });
}
