const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** Signals that come so soon after the first are the same one: schedulers send it to a whole group, and its script passes it on. */
const SAME_MS = 1_000;

/**
 * Runs a task that can be stopped: the first SIGINT, SIGTERM or SIGHUP aborts its signal (and says so), the second (after a second
 * at least) leaves at once, which the storage survives as it survives a kill.
 * @returns the task's result and the exit code of the signal that stopped it, if one did
 */
export async function withStopSignals<T>(
  onFirst: () => void,
  task: (signal: AbortSignal) => Promise<T>,
): Promise<{ result: T; stoppedBy: number | undefined }> {
  const controller = new AbortController();
  let stoppedBy: number | undefined;
  let stoppedAt = 0;
  const handlers = Object.entries(EXIT_CODES).map(([name, code]) => {
    const handler = (): void => {
      if (stoppedBy !== undefined) {
        if (performance.now() - stoppedAt > SAME_MS) process.exit(code);
        return;
      }
      stoppedAt = performance.now();
      stoppedBy = code;
      onFirst();
      controller.abort();
    };
    process.on(name, handler);
    return { name, handler };
  });
  try {
    const result = await task(controller.signal);
    return { result, stoppedBy };
  } finally {
    for (const { name, handler } of handlers) process.off(name, handler);
  }
}
