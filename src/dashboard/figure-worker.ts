import { errorParts } from './error-parts.js';
import { FigureMaker } from './figure-maker.js';
import type { FigureMessage, FigureReply } from './figure-process.js';

/*
 * The process that makes figures of long studies, so that the dashboard answers everything else meanwhile. A process, not a thread: one
 * that closes a SQLite file drops the locks of all others that its process has on it (POSIX).
 */

const maker = new FigureMaker();

async function answer(message: FigureMessage): Promise<void> {
  if ('prepare' in message) {
    await maker.prepare(message.prepare).catch(() => undefined);
    return;
  }
  const { id, order } = message;
  const reply: FigureReply = await maker.make(order).then(
    (text) => ({ id, text }),
    (error: unknown) => ({ id, error: errorParts(error) }),
  );
  process.send?.(reply);
}

process.on('message', (message: FigureMessage) => void answer(message));
process.once('disconnect', () => void maker.close());
// Ctrl-C reaches the whole group: the dashboard ends this process by closing the channel.
process.on('SIGINT', () => undefined);
