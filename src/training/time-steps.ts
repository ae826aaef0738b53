import type { Network } from './network.js';
import type { Task } from './task.js';

const BUDGET_MS = 60;
const MOST_STEPS = 30;
/** A backend that on two rows takes longer than this many times the best one's whole batch has lost. */
const HOPELESS = 3;
/** Below this, what is measured on two rows may be nothing but the first call's compilation. */
const LEAST_HOPELESS_MS = 100;

/**
 * Milliseconds of the fastest of a few steps on the current backend; what is measured is then thrown away. Gives up, with Infinity,
 * on a backend that is hopelessly slower than `best`.
 */
export function timeSteps(create: () => Network, rows: Int32Array, task: Task, best: number): number {
  const network = create();
  const step = (part: Int32Array, number: number): number => {
    const start = performance.now();
    network.step(part, task.newSums(), number, 1e-6);
    return performance.now() - start;
  };
  const isHopeless = (time: number): boolean => time > Math.max(LEAST_HOPELESS_MS, HOPELESS * best);
  try {
    if (Number.isFinite(best) && isHopeless(step(rows.subarray(0, 2), 1))) return Infinity;
    let fastest = Infinity;
    const end = performance.now() + BUDGET_MS;
    for (let number = 1; number <= 3 || (number <= MOST_STEPS && performance.now() < end); number++) {
      fastest = Math.min(fastest, step(rows, number));
      if (number === 1 && isHopeless(fastest)) break;
    }
    return fastest;
  } finally {
    network.dispose();
  }
}
