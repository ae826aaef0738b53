import { StudyNotFoundError, UpdateFinishedTrialError } from '../../core/errors.js';
import { FrozenTrial, type TrialTemplate } from '../../core/frozen-trial.js';
import { isFinished } from '../../core/trial-state.js';
import type { TrialWrite } from '../storage.js';
import { toColumns } from './number-columns.js';
import { endTrialArgs, type LastWrites } from './end-trial.js';
import { COMMIT, execute, queue, queueRead, queueRecoverable, type SqlValue, type Transaction } from './statement.js';
import type { Statements } from './statements.js';
import { requireStudy } from './study-rows.js';

/** Ids after which a waiting trial, or a retry, is news to who creates a trial. */
interface NewsPlace {
  readonly waitingAfter: number;
  readonly retriesAfter: number;
}

/** Whether a template is of a trial that has just begun. */
export function isFresh(template: TrialTemplate | undefined): boolean {
  return template?.state === 'RUNNING' && Object.keys(template).every((key) => key === 'state' || key === 'startedAt');
}

/** A trial of which nothing is known yet, where the engine numbers and adds it in one statement, within its lock's shortest time. */
export function* createNextTrial(
  s: Statements,
  writerId: string | undefined,
  studyId: number,
  template: TrialTemplate,
  owner: string | undefined,
  limit: number | undefined,
  news: NewsPlace | undefined,
): Transaction<FrozenTrial[]> {
  if (s.createNext === undefined || s.lockStudy === undefined) throw new Error('This engine has no such statement.');
  const study = yield queueRecoverable(queue(s.lockStudy, studyId), queue(s.studyById, studyId));
  const args = [studyId, template.state, template.startedAt ?? null, owner ?? null, limit ?? null];
  const created = yield queueRecoverable(
    queue(s.createNext, ...args, writerId ?? null, news?.waitingAfter ?? null, news?.retriesAfter ?? null),
    queue(s.createdNext, writerId ?? null),
  );
  yield COMMIT;
  if (study.rows.length === 0) throw new StudyNotFoundError(`id ${studyId}`);
  return created.rows.map((row) => new FrozenTrial(Number(row['trial_id']), Number(row['number']), template));
}

/** Adds trials in order, each with the next number; none where a limit is reached. */
export function* createTrials(
  s: Statements,
  studyId: number,
  templates: readonly TrialTemplate[],
  owner: string | undefined,
  limit: number | undefined,
  news?: NewsPlace,
): Transaction<FrozenTrial[]> {
  if (s.lockStudy !== undefined) yield queue(s.lockStudy, studyId);
  const found = news && (yield queue(s.hasNews, studyId, news.waitingAfter, news.retriesAfter));
  const [last] = (yield execute(s.lastNumber, studyId)).rows;
  if (last === undefined) yield* requireStudy(s, studyId);
  if (Number(found?.rows[0]?.['news'] ?? 0) !== 0) return [];
  let number = last === undefined ? 0 : Number(last['number']) + 1;
  // Only near the limit does it matter how many of the trials were superseded.
  if (limit !== undefined && number >= limit) {
    const superseded = Number((yield execute(s.countSuperseded, studyId)).rows[0]?.['superseded'] ?? 0);
    if (number - superseded >= limit) return [];
  }
  const created: FrozenTrial[] = [];
  for (const template of templates) created.push(yield* insertTrial(s, studyId, number++, template, owner));
  return created;
}

function* insertTrial(
  s: Statements,
  studyId: number,
  number: number,
  template: TrialTemplate,
  owner: string | undefined,
): Transaction<FrozenTrial> {
  const { state, startedAt = null, completedAt = null } = template;
  const trialId = (yield execute(s.insertTrial, number, studyId, state, startedAt, completedAt)).lastId;
  yield* queueTrialParts(s, trialId, template);
  if (state === 'RUNNING' && owner !== undefined) yield queue(s.setOwner, trialId, owner);
  return new FrozenTrial(trialId, number, template);
}

/** Queues the rows of a new trial beside its own. */
export function* queueTrialParts(s: Statements, trialId: number, template: TrialTemplate): Transaction<void> {
  for (const [name, internal] of Object.entries(template.internalParams ?? {})) {
    yield queue(s.insertParam, trialId, name, internal, template.distributions?.[name]?.json ?? null);
  }
  for (const [objective, value] of (template.values ?? []).entries()) {
    const columns = toColumns(value);
    yield queue(s.setValue, trialId, objective, columns.value, columns.type);
  }
  for (const [step, value] of Object.entries(template.intermediateValues ?? {})) {
    const columns = toColumns(value);
    yield queue(s.setReport, trialId, Number(step), columns.value, columns.type);
  }
  for (const [key, text] of Object.entries(template.userAttrTexts ?? {}))
    yield queue(s.setTrialUserAttr, trialId, key, text);
  for (const [key, text] of Object.entries(template.systemAttrTexts ?? {})) {
    yield queue(s.setTrialSystemAttr, trialId, key, text);
  }
}

/** Where a batch is the last of its trial and the engine takes it in one statement. */
export function* endTrialAtOnce(s: Statements, last: LastWrites): Transaction<FrozenTrial[]> {
  if (s.endTrial === undefined) throw new Error('This engine has no such statement.');
  const { trialId } = last;
  const ended = yield queueRecoverable(
    queue(s.endTrial, ...endTrialArgs(last)),
    queue(s.endedAs, trialId, last.end.state, last.end.at),
  );
  const found = yield queueRead(s.stateOf, trialId);
  yield COMMIT;
  if (ended.rows.length === 0) refuse(trialId, found.rows[0]?.['state']);
  return [];
}

/** Applies a batch; returns the trials that it created. */
export function* applyWrites(s: Statements, writes: readonly TrialWrite[]): Transaction<FrozenTrial[]> {
  const created: FrozenTrial[] = [];
  const checked = new Set<number>();
  const ended = new Set<number>();
  // Where a batch ends its trial, that statement itself finds out whether it was finished before.
  for (const write of writes) if (write.kind === 'state') checked.add(write.trialId);
  for (const write of writes) {
    if (write.kind === 'create') {
      created.push(...(yield* createTrials(s, write.studyId, [write.template], undefined, undefined)));
      continue;
    }
    const { trialId } = write;
    if (ended.has(trialId)) throw new UpdateFinishedTrialError(trialId);
    if (!checked.has(trialId)) {
      yield* requireUnfinished(s, trialId);
      checked.add(trialId);
    }
    switch (write.kind) {
      case 'param':
        yield queue(s.insertParam, trialId, write.name, write.internal, write.distribution.json);
        break;
      case 'report': {
        const { value, type } = toColumns(write.value);
        yield queue(s.setReport, trialId, write.step, value, type);
        break;
      }
      case 'userAttr':
        yield queue(s.setTrialUserAttr, trialId, write.key, write.text);
        break;
      case 'systemAttr':
        yield queue(s.setTrialSystemAttr, trialId, write.key, write.text);
        break;
      case 'state':
        yield* setState(s, write);
        if (isFinished(write.state)) ended.add(trialId);
    }
  }
  return created;
}

function* setState(s: Statements, write: Extract<TrialWrite, { kind: 'state' }>): Transaction<void> {
  const { trialId, state } = write;
  const at = isFinished(state) ? write.at : null;
  if ((yield execute(s.setState, trialId, state, at)).changes === 0) yield* requireUnfinished(s, trialId);
  let columns = (write.values ?? []).map((value) => toColumns(value));
  if (state === 'PRUNED' && write.values === undefined) {
    const [last] = (yield execute(s.lastReport, trialId)).rows;
    if (last !== undefined && last['intermediate_value_type'] !== 'NAN') {
      columns = [
        { value: last['intermediate_value'] as number | null, type: last['intermediate_value_type'] as 'FINITE' },
      ];
    }
  }
  for (const [objective, { value, type }] of columns.entries())
    yield queue(s.setValue, trialId, objective, value, type);
}

/** @throws UpdateFinishedTrialError, or RangeError where there is no such trial */
function* requireUnfinished(s: Statements, trialId: number): Transaction<void> {
  const [row] = (yield execute(s.stateOf, trialId)).rows;
  if (row === undefined || (row['state'] !== 'RUNNING' && row['state'] !== 'WAITING')) refuse(trialId, row?.['state']);
}

function refuse(trialId: number, state: SqlValue | undefined): never {
  if (state === undefined) throw new RangeError(`There is no trial with id ${trialId}.`);
  throw new UpdateFinishedTrialError(trialId);
}
