import type { LeaseRecord, ProcessIdentity, ProcessRecord, TrialOwner } from '../storage.js';
import {
  COMMIT,
  execute,
  queue,
  queueRead,
  type SqlValue,
  type Statement,
  type StepResult,
  type Transaction,
} from './statement.js';
import type { Statements } from './statements.js';

/** Enters a process that works on studies. */
export function* enterProcess(s: Statements, process: ProcessIdentity, at: string): Transaction<void> {
  const { processId, host, bootId, pid, startTime } = process;
  yield queue(s.registerProcess, processId, host, bootId, pid, startTime, at);
}

/** A sign of life of a process and of the trials that it runs. */
export function* beat(
  s: Statements,
  processId: string,
  runningTrialIds: readonly number[],
  at: string,
): Transaction<void> {
  yield queue(s.beat, processId, at);
  for (const trialId of runningTrialIds) yield queue(s.beatTrial, trialId, at);
}

/** Removes a process; trials that it still runs belong to whoever tells them. */
export function* leave(s: Statements, processId: string): Transaction<void> {
  yield queue(s.removeOwnedBy, processId);
  yield queue(s.removeProcess, processId);
}

/** Running trials with their processes, and the first trial after `after` that is not finished. */
export function* readOwners(
  s: Statements,
  studyId: number,
  after: number,
): Transaction<{ readonly firstUnfinished: number | undefined; readonly running: TrialOwner[] }> {
  const { rows } = yield* readOnce(s.unfinishedWithOwners, studyId, after);
  const [first] = rows;
  const running = rows
    .filter((row) => row['state'] === 'RUNNING')
    .map((row) => ({
      trialId: Number(row['trial_id']),
      process: typeof row['process_id'] === 'string' ? toProcess(row) : undefined,
      trialHeartbeatAt: typeof row['heartbeat'] === 'string' ? row['heartbeat'] : undefined,
    }));
  return { firstUnfinished: first && Number(first['trial_id']), running };
}

export function* readProcesses(s: Statements): Transaction<ProcessRecord[]> {
  return (yield* readOnce(s.processes)).rows.map(toProcess);
}

/** Takes or renews a lease; what is held by another, and not taken over as it was last seen, is given back as found. */
export function* takeLease(
  s: Statements,
  name: string,
  holder: string,
  takeOver: LeaseRecord | undefined,
): Transaction<LeaseRecord> {
  const [row] = (yield execute(s.lease, name)).rows;
  if (row === undefined) {
    yield execute(s.insertLease, name, holder);
    return { holder, beat: 1 };
  }
  const found = { holder: String(row['holder']), beat: Number(row['beat']) };
  const isOver = takeOver?.holder === found.holder && takeOver.beat === found.beat;
  if (found.holder !== holder && !isOver) return found;
  yield execute(s.setLease, name, holder);
  return { holder, beat: found.beat + 1 };
}

export function* giveLeaseBack(s: Statements, name: string, holder: string): Transaction<void> {
  yield queue(s.removeLease, name, holder);
}

/** The result of one reading statement. */
function* readOnce(statement: Statement, ...args: readonly SqlValue[]): Transaction<StepResult> {
  const result = yield queueRead(statement, ...args);
  yield COMMIT;
  return result;
}

function toProcess(row: Readonly<Record<string, SqlValue>>): ProcessRecord {
  const text = (key: string): string => String(row[key] ?? '');
  return {
    processId: text('process_id'),
    host: text('host'),
    bootId: text('boot_id'),
    pid: Number(row['pid']),
    startTime: text('start_time'),
    registeredAt: text('registered_at'),
    heartbeatAt: text('heartbeat_at'),
  };
}
