import { bold, green, red, say, yellow } from './say.mjs';

/** Numbers of tests. A check that is no test counts as one. */
export const nothing = () => ({ passed: 0, failed: 0, skipped: 0 });

export function add(total, part) {
  return {
    passed: total.passed + part.passed,
    failed: total.failed + part.failed,
    skipped: total.skipped + part.skipped,
  };
}

/** `N passed, N failed`, with `, N skipped` where there are any: the last line of every run of tests. */
export function resultLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/** A heading before a step. */
export function heading(text) {
  say();
  say(bold(`▸ ${text}`));
}

export function mark({ failed, passed }) {
  if (failed > 0) return red('✗');
  return passed > 0 ? green('✓') : yellow('–');
}
