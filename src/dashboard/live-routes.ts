import type { Hono } from 'hono';
import { streamSSE } from 'hono/streaming';

import { countTrials } from '../app/sweep/sweep-summary.js';
import type { LiveChange } from './api-types.js';
import { answerText } from './serialize.js';
import type { Studies } from './studies.js';

const LOOK_MS = 1_000;
/** Something is said at least so often, so that a dead connection is noticed. */
const PULSE_MS = 15_000;

/** A stream of changes: of one study, or that something of any study in the list changed. */
export function addLiveRoutes(app: Hono, studies: Studies): void {
  app.get('/api/studies/:id/live', (c) => {
    const id = c.req.param('id');
    return streamSSE(c, async (stream) => {
      let last = -1;
      let saidAt = 0;
      while (!stream.aborted) {
        try {
          const { revision, study } = await studies.open(id);
          if (revision !== last || Date.now() - saidAt > PULSE_MS) {
            const change: LiveChange = { revision, counts: countTrials(study) };
            await stream.writeSSE({ event: revision === last ? 'pulse' : 'change', data: answerText(change) });
            last = revision;
            saidAt = Date.now();
          }
        } catch {
          await stream.writeSSE({ event: 'lost', data: '{}' });
        }
        await stream.sleep(LOOK_MS);
      }
    });
  });
}
