/** The longest wait that Node's timers know, 24.8 days: a longer one would end at once, and again, and again. */
const LONGEST_MS = 2 ** 31 - 1;

/** `setTimeout` for a wait of any length. It does not keep the process alive. Returns what ends it. */
export function after(delayMs: number, work: () => void): () => void {
  const dueAt = performance.now() + delayMs;
  let timer: NodeJS.Timeout;
  const wait = (): void => {
    const left = dueAt - performance.now();
    timer = setTimeout(left > LONGEST_MS ? wait : work, Math.min(Math.max(0, left), LONGEST_MS));
    timer.unref();
  };
  wait();
  return () => {
    clearTimeout(timer);
  };
}

/** `setInterval` for an interval of any length, likewise. */
export function every(intervalMs: number, work: () => void): () => void {
  let stop: () => void;
  const next = (): void => {
    stop = after(intervalMs, () => {
      next();
      work();
    });
  };
  next();
  return () => {
    stop();
  };
}
