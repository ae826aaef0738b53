import type {
  ErrorAnswer,
  FigureAnswer,
  LogAnswer,
  StudyDetail,
  StudySummary,
  TrialDetail,
  TrialPage,
} from '../api-types.js';

/** What the server refused, in its words. */
export class RefusedError extends Error {
  readonly hint: string | null;
  readonly status: number;

  constructor(message: string, hint: string | null, status: number) {
    super(message);
    this.hint = hint;
    this.status = status;
  }
}

async function answerOf(response: Response): Promise<unknown> {
  if (response.ok) return await response.json();
  const answer = (await response.json().catch(() => undefined)) as ErrorAnswer | undefined;
  throw new RefusedError(
    answer?.error.message ?? `The server answered ${response.status}.`,
    answer?.error.hint ?? null,
    response.status,
  );
}

async function get(path: string, signal?: AbortSignal): Promise<unknown> {
  return await answerOf(await fetch(path, signal === undefined ? {} : { signal }));
}

async function post(path: string, body: unknown): Promise<unknown> {
  return await answerOf(
    await fetch(path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-Resweep': '1' },
      body: JSON.stringify(body),
    }),
  );
}

const study = (id: string): string => `api/studies/${encodeURIComponent(id)}`;

export function figurePath(id: string, kind: string, request: FigureQuery = {}): string {
  const query = new URLSearchParams();
  if (request.objective !== undefined) query.set('objective', String(request.objective));
  for (const param of request.params ?? []) query.append('param', param);
  return `${study(id)}/figures/${kind}?${query.toString()}`;
}

export function figureCsvPath(id: string, kind: string, request: FigureQuery = {}): string {
  return figurePath(id, kind, request).replace('?', '/csv?');
}

export interface FigureQuery {
  readonly objective?: number | undefined;
  readonly params?: readonly string[] | undefined;
}

/** One function for each thing that the server can be asked. */
export const api = {
  studies: async (signal?: AbortSignal) => (await get('api/studies', signal)) as StudySummary[],
  study: async (id: string, signal?: AbortSignal) => (await get(study(id), signal)) as StudyDetail,
  figure: async (path: string, signal?: AbortSignal) => (await get(path, signal)) as FigureAnswer,
  trials: async (id: string, query: URLSearchParams, signal?: AbortSignal) =>
    (await get(`${study(id)}/trials?${query.toString()}`, signal)) as TrialPage,
  trial: async (id: string, number: number, signal?: AbortSignal) =>
    (await get(`${study(id)}/trials/${number}`, signal)) as TrialDetail,
  log: async (id: string, number: number, from: number | undefined, signal?: AbortSignal) =>
    (await get(`${study(id)}/trials/${number}/log${from === undefined ? '' : `?from=${from}`}`, signal)) as LogAnswer,
  get: async (id: string, what: 'backup' | 'backup/states' | 'results', signal?: AbortSignal) =>
    await get(`${study(id)}/${what}`, signal),
  change: async (id: string, what: 'note' | 'enqueue' | 'stop' | 'budget', body: object) =>
    await post(`${study(id)}/${what}`, body),
  livePath: (id: string) => `${study(id)}/live`,
};
