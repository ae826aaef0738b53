/**
 * `npm run test:<lane>` and `npm run bench`: prepares what the lane needs, then runs test/lanes/<lane> (bench: bench/ too).
 * A part that cannot be had is skipped visibly; with CI=true it counts as a failure. `live` only ever skips.
 *
 *   node scripts/lane.mjs LANE [arguments for vitest]
 */
import { existsSync, readdirSync } from 'node:fs';
import { relative } from 'node:path';

import { liveServices, prepare } from './lib/lane-needs.mjs';
import { at, root } from './lib/paths.mjs';
import { add, heading, nothing, resultLine } from './lib/results.mjs';
import { red, say, yellow } from './lib/say.mjs';
import { runVitest } from './lib/vitest.mjs';

const lanes = [
  'commands',
  'interop',
  'services',
  'faults',
  'tensorflow',
  'browser',
  'cluster',
  'package',
  'live',
  'bench',
];
const [lane, ...rest] = process.argv.slice(2);
if (!lanes.includes(lane)) {
  console.error(`There is no lane "${lane ?? ''}". There are: ${lanes.join(', ')}.`);
  process.exit(2);
}

const total = await run();
say();
say(resultLine(total));
if (total.failed > 0) process.exitCode = 1;

async function run() {
  heading(`lane ${lane}`);
  const folders = [at('test', 'lanes', lane), ...(lane === 'bench' ? [at('bench')] : [])].filter(hasTests);
  if (folders.length === 0) {
    say('no tests');
    return nothing();
  }
  if (lane === 'live' && liveServices().length === 0) {
    say(yellow('skipped: no credentials of any real service are set (docs/testing.md lists the variables)'));
    return { ...nothing(), skipped: 1 };
  }
  const { env, problems, essential } = await prepare(lane, folders);
  const strict = process.env.CI === 'true' || process.env.CI === '1';
  for (const problem of problems) say(strict ? red(`missing: ${problem}`) : yellow(`skipped: ${problem}`));
  const missing = { ...nothing(), [strict ? 'failed' : 'skipped']: problems.length };
  if (essential) return missing;
  const patterns = folders.map((folder) => `${relative(root, folder)}/`);
  const args = ['--config', 'vitest.lanes.config.ts', ...patterns, ...rest];
  return add(missing, await runVitest(`lane-${lane}`, args, { env }));
}

function hasTests(folder) {
  return existsSync(folder) && readdirSync(folder, { recursive: true }).some((name) => name.endsWith('.test.ts'));
}
