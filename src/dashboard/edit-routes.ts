import type { Hono } from 'hono';

import { UsageError } from '../core/errors.js';
import type { ParamValue } from '../core/distributions.js';
import { changeBudget } from '../app/sweep/budget-change.js';
import { requestStop } from '../app/sweep/stop-request.js';
import { writeNote } from '../app/trials/trial-notes.js';
import { answerText } from './serialize.js';
import type { Studies } from './studies.js';

/** What may be changed from the page. */
export function addEditRoutes(app: Hono, studies: Studies): void {
  const route = (
    path: string,
    work: (id: string, body: Readonly<Record<string, unknown>>) => Promise<unknown>,
  ): void => {
    app.post(`/api/studies/:id/${path}`, async (c) => {
      const body = (await c.req.json().catch(() => undefined)) as unknown;
      if (body === undefined || body === null || typeof body !== 'object') {
        throw new UsageError('The request carries no JSON document.');
      }
      const answer = await work(c.req.param('id'), body as Record<string, unknown>);
      return c.body(answerText(answer), 200, { 'Content-Type': 'application/json' });
    });
  };

  route('note', async (id, { trial, version, text }) => {
    if (typeof text !== 'string' || typeof version !== 'number')
      throw new UsageError('A note has a text and a version.');
    return await studies.change(id, async (study) => {
      const found = typeof trial === 'number' ? study.history.all[trial] : undefined;
      if (trial !== undefined && trial !== null && found === undefined) {
        throw new UsageError(`There is no trial ${JSON.stringify(trial)}.`);
      }
      return await writeNote(study, { version, text }, found?.trialId);
    });
  });

  route('enqueue', async (id, { params }) => {
    if (params === undefined || params === null || typeof params !== 'object' || Array.isArray(params)) {
      throw new UsageError('A trial to enqueue has params.');
    }
    return await studies.change(id, async (study) => {
      const checked = checkParams(params as Record<string, unknown>, study.history.all);
      await study.enqueueTrial(checked);
      await study.sync();
      return { number: study.history.all.length - 1 };
    });
  });

  route('stop', async (id) => {
    await studies.change(id, async (study) => {
      await requestStop(study, { now: false });
    });
    return { ok: true };
  });

  route('budget', async (id, { trials, parallel }) => {
    const number = (value: unknown): number | undefined =>
      value === undefined || value === null ? undefined : Number(value);
    const revision = await studies.change(id, (study) =>
      changeBudget(study, { trials: number(trials), parallel: number(parallel) }),
    );
    return { revision };
  });
}

/** Parameters as the study's distributions take them. @throws UsageError for a name or value that they do not have */
function checkParams(
  params: Readonly<Record<string, unknown>>,
  trials: readonly {
    readonly distributions: Readonly<
      Record<string, { toInternal(value: ParamValue): number; contains(internal: number): boolean }>
    >;
  }[],
): Record<string, ParamValue> {
  const checked: Record<string, ParamValue> = {};
  for (const [name, value] of Object.entries(params)) {
    const distribution = trials.findLast((trial) => name in trial.distributions)?.distributions[name];
    if (distribution === undefined) throw new UsageError(`No trial of this study has a parameter "${name}".`);
    if (value !== null && typeof value === 'object')
      throw new UsageError(`Parameter "${name}" cannot be a list or object.`);
    const given = value as ParamValue;
    if (!distribution.contains(distribution.toInternal(given))) {
      throw new UsageError(`Parameter "${name}" cannot be ${String(value)}: it is outside of its range.`);
    }
    checked[name] = given;
  }
  if (Object.keys(checked).length === 0) throw new UsageError('At least one parameter must be given.');
  return checked;
}
