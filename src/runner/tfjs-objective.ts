import type { WorkerObjective } from './worker-protocol.js';
import type { ObjectiveRun } from './worker-session.js';

/** Trains by a built-in trainer; TensorFlow.js is loaded with the first trial. */
export function createTfjsRun(objective: Extract<WorkerObjective, { type: 'tfjs' }>): ObjectiveRun {
  const { request, backendChoices } = objective;
  return async (task, context) => {
    const { findTrainer } = await import('../training/trainers.js');
    const result = await findTrainer(request.trainer).train(request, {
      params: task.params,
      seed: task.seed,
      trialDir: task.trialDir,
      checkpointDir: task.checkpointDir,
      signal: context.signal,
      checkpointEveryMs: task.checkpointEveryMs,
      backendChoices,
      report: (step, value, options) => context.report(step, value, options?.replayed ?? false),
      log: (line) => {
        context.log(line);
      },
      onCheckpoint: (info) => {
        context.checkpoint(info);
      },
    });
    return {
      ...result.values,
      epochs: result.epochs,
      best_epoch: result.bestEpoch,
      backend: result.backend,
      backend_key: result.backendKey,
      backend_reason: result.backendReason,
      parameters: result.parameters,
    };
  };
}
