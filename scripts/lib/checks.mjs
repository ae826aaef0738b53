import { add, mark, nothing } from './results.mjs';
import { runCommand, tool } from './run-command.mjs';
import { dim, duration, say } from './say.mjs';

const cache = 'node_modules/.cache';

/** Everything that judges the sources without running them, in the order of what breaks most else. */
export const checks = [
  {
    name: 'types',
    run: tool('typescript/bin/tsc', ['--noEmit']),
  },
  { name: 'types of the page', run: tool('typescript/bin/tsc', ['--noEmit', '-p', 'src/dashboard/web']) },
  {
    name: 'lint',
    run: tool('eslint/bin/eslint.js', [
      '.',
      '--max-warnings=0',
      '--cache',
      '--cache-strategy=content',
      `--cache-location=${cache}/eslint/`,
    ]),
  },
  {
    name: 'format',
    run: tool('prettier/bin/prettier.cjs', [
      '--check',
      '.',
      '--log-level=warn',
      '--cache',
      '--cache-strategy=content',
      `--cache-location=${cache}/prettier/.prettier-cache`,
    ]),
    fix: 'npm run format',
  },
  {
    name: 'layers',
    run: tool('dependency-cruiser/bin/dependency-cruise.mjs', ['src', '--config', '.dependency-cruiser.mjs']),
  },
  { name: 'dead code', run: tool('knip/bin/knip.js', ['--no-progress', '--no-config-hints']) },
];

/** Runs all of them, `atOnce` at a time, whatever fails: the longest, which lints, begins first. */
export async function runChecks({ atOnce }) {
  let total = nothing();
  const waiting = checks.toSorted((a, b) => Number(b.name === 'lint') - Number(a.name === 'lint'));
  const runNext = async () => {
    for (let check = waiting.shift(); check !== undefined; check = waiting.shift()) {
      const { name, run, fix } = check;
      const start = Date.now();
      const { code, output } = await runCommand(...run, { env: { NODE_NO_WARNINGS: '1' } });
      const result = { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 };
      if (code !== 0) say(output.trimEnd());
      say(`${mark(result)} check: ${name} ${dim(duration(Date.now() - start))}${code !== 0 && fix ? `: ${fix}` : ''}`);
      total = add(total, result);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, runNext));
  return total;
}
