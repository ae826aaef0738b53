import type { Context, Hono } from 'hono';

import { UsageError } from '../core/errors.js';
import { backupView, heldConfig, keptStates } from '../app/backup/backup-view.js';
import { stageResults } from '../app/views/stage-results.js';
import { readLog, trialDirectory } from '../app/trials/trial-files.js';
import type { AxisFilter, LogAnswer } from './api-types.js';
import type { FigureAnswers } from './figure-answers.js';
import { answerText } from './serialize.js';
import type { Studies } from './studies.js';
import { studyDetail, studySummary } from './study-answers.js';
import { trialDetail, trialOf, trialPage } from './trial-answers.js';

const JSON_TYPE = { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' };
const LARGEST_PAGE = 200;

/** What may be looked at. */
export function addLookRoutes(app: Hono, studies: Studies, figures: FigureAnswers): void {
  const get = (
    path: string,
    answer: (id: string, query: (name: string) => string | undefined, number: number) => Promise<unknown>,
  ): void => {
    app.get(`/api/studies/:id${path}`, async (c) => {
      const found = await answer(c.req.param('id'), (name) => c.req.query(name), Number(c.req.param('number')));
      return c.body(typeof found === 'string' ? found : answerText(found), 200, JSON_TYPE);
    });
  };

  app.get('/api/studies', async (c) => {
    const entries = await studies.list();
    const summaries = [];
    for (const entry of entries) summaries.push(await studySummary(studies, entry));
    return c.body(answerText(summaries), 200, JSON_TYPE);
  });
  get('', async (id) => {
    // The page asks for figures next: whoever makes them opens the study meanwhile.
    figures.prepare(await studies.entry(id));
    return studyDetail(await studies.open(id));
  });
  get('/trials', async (id, query) => {
    return trialPage(await studies.open(id), {
      sort: query('sort') ?? 'number',
      descending: query('order') === 'desc',
      states: query('states')?.split(',').filter(Boolean) ?? [],
      words: query('words') ?? '',
      axes: parseAxes(query('axes')),
      offset: wholeNumber(query('offset'), 0, Infinity),
      limit: wholeNumber(query('limit'), 50, LARGEST_PAGE),
    });
  });
  get('/trials/:number', async (id, _query, number) => trialDetail(await studies.open(id), number));
  get('/trials/:number/log', async (id, query, number): Promise<LogAnswer> => {
    const opened = await studies.open(id);
    const folder = trialDirectory(opened.study, trialOf(opened, number), opened.entry);
    const from = query('from');
    const piece = folder === undefined ? undefined : readLog(folder, from === undefined ? undefined : Number(from));
    return piece ?? { text: '', next: 0, size: 0 };
  });
  get('/backup', async (id) => {
    const { study, entry, config } = await studies.open(id);
    return backupView(study, entry.studyDir, config);
  });
  get('/backup/states', async (id) => {
    const { study, entry } = await studies.open(id);
    const config = await heldConfig(study, entry.studyDir);
    if (config === undefined || entry.studyDir === undefined) return { states: [], errors: [] };
    return await keptStates(entry.studyDir, config);
  });
  get('/results', async (id) => {
    const { entry } = await studies.open(id);
    return entry.studyDir === undefined || entry.study8 === undefined ? [] : stageResults(entry.studyDir, entry.study8);
  });
  const figure = async (c: Context, as: 'json' | 'csv'): Promise<string> => {
    const opened = await studies.open(c.req.param('id') ?? '');
    const objective = wholeNumber(c.req.query('objective'), 0, opened.study.directions.length - 1);
    const request = { objective, params: c.req.queries('param') };
    const made = await figures.answer(opened, c.req.param('kind') ?? '', as, request);
    void figures.foresee(opened);
    return made;
  };
  app.get('/api/studies/:id/figures/:kind', async (c) => c.body(await figure(c, 'json'), 200, JSON_TYPE));
  app.get('/api/studies/:id/figures/:kind/csv', async (c) =>
    c.body(await figure(c, 'csv'), 200, {
      'Content-Type': 'text/csv; charset=utf-8',
      'Content-Disposition': `attachment; filename="${c.req.param('kind')}.csv"`,
    }),
  );
}

function wholeNumber(text: string | undefined, fallback: number, most: number): number {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new UsageError(`"${text}" is no whole number from 0 on.`);
  return Math.min(value, most);
}

/** @throws UsageError where it is no list of axes */
function parseAxes(text: string | undefined): AxisFilter[] {
  if (text === undefined || text === '') return [];
  try {
    const axes: unknown = JSON.parse(text);
    if (Array.isArray(axes)) return axes as AxisFilter[];
  } catch {
    // Said below.
  }
  throw new UsageError('"axes" must be a JSON list.');
}
