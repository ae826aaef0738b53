import type { ChildProcess } from 'node:child_process';
import { Readable, type Writable } from 'node:stream';

import { signalGroup } from './process-tree.js';

/** How a process ended by itself. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** It could not be started. */
  readonly error?: Error;
}

/** Time in which what a process left behind may go on writing. */
const LINGER_MS = 500;

/**
 * Waits until a process has ended and its output is read to the end. Others of its group that hold the output open are killed soon
 * after; one that has left the group is not waited for.
 */
export function processEnd(child: ChildProcess): Promise<ProcessEnd> {
  // Not the event `close`, which a process whose channel was disconnected from this side never emits.
  const read = Promise.all(child.stdio.map(whenClosed));
  return new Promise((settle) => {
    child.once('error', (error) => {
      settle({ code: null, signal: null, error });
    });
    child.once('exit', (code, signal) => {
      const settled = (): void => {
        clearTimeout(timer);
        settle({ code, signal });
      };
      let timer = setTimeout(() => {
        if (child.pid !== undefined) signalGroup(child.pid, 'SIGKILL');
        timer = setTimeout(() => {
          for (const stream of child.stdio) stream?.destroy();
          settled();
        }, LINGER_MS);
      }, LINGER_MS);
      void read.then(settled);
    });
  });
}

function whenClosed(stream: Readable | Writable | null | undefined): Promise<void> {
  if (!(stream instanceof Readable)) return Promise.resolve();
  return new Promise((resolve) => {
    stream.once('close', resolve);
  });
}
