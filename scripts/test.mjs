/**
 * `npm test`, after the bootstrap: end-to-end tests of the built command line, then unit and contract tests; the checks
 * beside them, as end-to-end tests often wait. All run, whatever fails. The last line counts tests; a check counts as one.
 *
 *   RESWEEP_COVERAGE=1   also measures coverage and holds it against .ci/coverage.json
 */
import { runChecks } from './lib/checks.mjs';
import { compareCoverage } from './lib/coverage.mjs';
import { add, heading, mark, resultLine } from './lib/results.mjs';
import { bold, dim, duration, say } from './lib/say.mjs';
import { runVitest } from './lib/vitest.mjs';

const coverage = process.env.RESWEEP_COVERAGE === '1';
const start = Date.now();
const steps = [];

async function step(name, run) {
  const begun = Date.now();
  steps.push({ name, result: await run(), took: Date.now() - begun });
}

async function tests() {
  await step('end to end', () => {
    heading('end-to-end tests, and the checks beside them');
    return runVitest('e2e', ['test/e2e']);
  });
  await step('unit and contract', () => {
    heading('unit and contract tests');
    return runVitest('unit', ['--exclude', 'test/e2e/**', ...(coverage ? ['--coverage'] : [])]);
  });
  if (coverage) await step('coverage', compareCoverage);
}

await Promise.all([step('checks', () => runChecks({ atOnce: 1 })), tests()]);

say();
for (const { name, result, took } of steps) {
  say(`${mark(result)} ${name.padEnd(20)} ${resultLine(result).padEnd(36)} ${dim(duration(took))}`);
}
say(bold(`  all together         ${duration(Date.now() - start)}`));
const total = steps.map(({ result }) => result).reduce(add);
say();
say(resultLine(total));
if (total.failed > 0) process.exitCode = 1;
