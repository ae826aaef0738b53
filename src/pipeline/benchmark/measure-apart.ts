import { fork } from 'node:child_process';

import { builtEntry } from '../../core/built-entry.js';
import { ResweepError } from '../../core/errors.js';
import type { MeasureOptions, ModelMeasurement } from '../../training/measure-model.js';

type Answer = { readonly measurement: ModelMeasurement } | { readonly error: string };

/** Measures a model in a process of its own. @throws ResweepError with what went wrong there */
export function measureApart(options: MeasureOptions, signal: AbortSignal): Promise<ModelMeasurement> {
  return new Promise((resolve, reject) => {
    const child = fork(builtEntry('benchmark-worker.js', import.meta.url), [], {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2' },
    });
    let answer: Answer | undefined;
    let complaint = '';
    child.stderr?.on('data', (data: Buffer) => {
      complaint = `${complaint}${data.toString()}`.slice(-2_000);
    });
    child.on('message', (message: Answer) => {
      answer = message;
    });
    const stop = (): void => {
      child.kill('SIGKILL');
    };
    signal.addEventListener('abort', stop, { once: true });
    child.on('error', reject);
    child.on('close', (code, killedBy) => {
      signal.removeEventListener('abort', stop);
      if (answer !== undefined && 'measurement' in answer) {
        resolve(answer.measurement);
        return;
      }
      const how = killedBy ?? `exit code ${code ?? 'unknown'}`;
      const why = answer?.error ?? `the process ended with ${how}${complaint === '' ? '' : `: ${complaint.trim()}`}`;
      reject(new ResweepError('BENCHMARK_FAILED', `The model could not be measured: ${why}`));
    });
    child.send(options, () => undefined);
  });
}
