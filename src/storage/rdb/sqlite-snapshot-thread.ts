/* Thread that copies and checks SQLite files; see sqlite-snapshot.ts. */
import { parentPort } from 'node:worker_threads';

import { messageOf } from '../../core/errors.js';
import { inspectStudyFile, takeSnapshot } from './sqlite-file-copy.js';
import type { SnapshotRequest, SnapshotResponse } from './sqlite-snapshot.js';

async function answer(request: SnapshotRequest): Promise<SnapshotResponse> {
  try {
    if (request.kind === 'inspect') return { id: request.id, report: inspectStudyFile(request.path, request.options) };
    await takeSnapshot(request.path, request.target);
    return { id: request.id };
  } catch (error) {
    return { id: request.id, error: messageOf(error) };
  }
}

parentPort?.on('message', (request: SnapshotRequest) => {
  void answer(request).then((response) => parentPort?.postMessage(response));
});
