/*
 * Entry of a worker process: takes one trial after another over IPC. It ends when its parent does, and leaves Ctrl-C to the parent.
 */
import { createModuleRun } from './module-objective.js';
import { createTfjsRun } from './tfjs-objective.js';
import type { FromWorker, ToWorker, WorkerObjective } from './worker-protocol.js';
import { WorkerSession, type ObjectiveRun } from './worker-session.js';

function send(message: FromWorker): void {
  process.send?.(message, undefined, {}, () => undefined);
}

function createRun(objective: WorkerObjective): ObjectiveRun {
  return objective.type === 'tfjs' ? createTfjsRun(objective) : createModuleRun(objective);
}

const session = new WorkerSession(send, createRun);

process.on('message', (message: ToWorker) => {
  session.receive(message);
});
process.on('disconnect', () => process.exit(0));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
