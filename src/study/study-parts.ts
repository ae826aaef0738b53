import type { Clock } from '../core/clock.js';
import type { DeclaredSpace } from '../core/declared-space.js';
import type { Pruner } from '../pruners/pruner.js';
import type { Sampler } from '../samplers/sampler.js';
import type { Storage, StudyRecord } from '../storage/storage.js';
import type { HeartbeatOptions } from './presence.js';
import type { RetryPolicy } from './retry.js';

/** Everything a study is made of; `createStudy` and `loadStudy` put it together. */
export interface StudyParts {
  readonly storage: Storage;
  readonly record: StudyRecord;
  readonly sampler: Sampler;
  readonly pruner: Pruner;
  readonly seed: number;
  readonly retry?: RetryPolicy | undefined;
  readonly heartbeat?: HeartbeatOptions | undefined;
  readonly declaredSpace?: DeclaredSpace | undefined;
  readonly clock?: Clock | undefined;
}
