import { mkdirSync, readFileSync, rmSync } from 'node:fs';

import { at } from './paths.mjs';
import { nothing } from './results.mjs';
import { runCommand, tool } from './run-command.mjs';

/**
 * Runs vitest with live output and counts its tests. A file that cannot be loaded, an error outside of any test and a
 * run that ends wrongly each count as failed.
 */
export async function runVitest(name, args, { env = {} } = {}) {
  const folder = at('node_modules', '.cache', 'resweep');
  const file = `${folder}/vitest-${name}.json`;
  mkdirSync(folder, { recursive: true });
  rmSync(file, { force: true });
  const colour = process.stdout.isTTY && !process.env.NO_COLOR ? { FORCE_COLOR: '1' } : {};
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  const { code } = await runCommand(...tool('vitest/vitest.mjs', ['run', ...args, ...reporters]), {
    show: true,
    env: { ...colour, ...env },
  });
  const counts = nothing();
  try {
    const report = JSON.parse(readFileSync(file, 'utf8'));
    counts.passed = report.numPassedTests;
    counts.failed = report.numFailedTests;
    counts.skipped = report.numPendingTests + report.numTodoTests;
    counts.failed += report.testResults.filter(
      (result) => result.status === 'failed' && !result.assertionResults.some(({ status }) => status === 'failed'),
    ).length;
  } catch {
    // No report: vitest itself broke, and its exit code below says so.
  }
  if (code !== 0 && counts.failed === 0) counts.failed = 1;
  return counts;
}
