import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

import { at, root } from './paths.mjs';
import { heading, mark } from './results.mjs';
import { red, say } from './say.mjs';

const file = '.ci/coverage.json';
const kinds = ['lines', 'branches'];
/** Room for what differs between machines and runs, in per cent. */
const SLACK = 0.3;

/** Holds the measured coverage against the checked-in thresholds, and these against all that were ever committed. */
export async function compareCoverage() {
  heading('coverage of src/ by unit and contract tests');
  const result = { passed: 0, failed: 0, skipped: 0 };
  const judge = (good, text) => {
    result[good ? 'passed' : 'failed']++;
    say(`${mark({ failed: good ? 0 : 1, passed: good ? 1 : 0 })} ${good ? text : red(text)}`);
  };
  const threshold = JSON.parse(readFileSync(at(file), 'utf8'));
  let total;
  try {
    ({ total } = JSON.parse(readFileSync(at('coverage', 'coverage-summary.json'), 'utf8')));
  } catch {
    judge(false, 'coverage was not measured: the test run above broke');
    return result;
  }
  const highest = highestCommitted();
  for (const kind of kinds) {
    const measured = total[kind].pct;
    judge(measured >= threshold[kind] - SLACK, `${kind}: ${measured} % (threshold ${threshold[kind]} %)`);
    if ((highest[kind] ?? 0) > threshold[kind]) {
      judge(false, `${kind}: the threshold in ${file} was ${highest[kind]} % before; it may only rise`);
    } else if (measured >= threshold[kind] + 1) {
      say(`  ${file} can be raised to ${Math.floor(measured)} for ${kind}.`);
    }
  }
  return result;
}

/** Highest thresholds in the file's history; none where there is no history (an archive, a shallow clone). */
function highestCommitted() {
  const highest = {};
  const git = (...args) =>
    execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  try {
    for (const commit of git('log', '--format=%H', '--', file).split('\n').filter(Boolean)) {
      const then = JSON.parse(git('show', `${commit}:${file}`));
      for (const kind of kinds) highest[kind] = Math.max(highest[kind] ?? 0, then[kind] ?? 0);
    }
  } catch {
    // Not a repository.
  }
  return highest;
}
