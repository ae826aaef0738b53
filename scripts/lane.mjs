/**
 * `npm run test:<lane>` and `npm run bench`: prepares what the lane needs, then runs test/lanes/<lane> (bench: bench/ too).
 * A part that cannot be had is skipped visibly; with CI=true it counts as a failure. `live` only ever skips.
 *
 *   node scripts/lane.mjs LANE [part of a file's name …] [arguments for vitest]
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
  // Names narrow the lane; vitest alone would add them to it.
  const names = rest.slice(0, rest.findIndex((word) => word.startsWith('-')) >>> 0);
  const patterns =
    names.length > 0 ? filesNamed(folders, names) : folders.map((folder) => `${relative(root, folder)}/`);
  if (patterns.length === 0) {
    say(red(`no test file of this lane is named like ${names.join(', ')}`));
    return { ...nothing(), failed: 1 };
  }
  const args = ['--config', 'vitest.lanes.config.ts', ...patterns, ...rest.slice(names.length)];
  return add(missing, await runVitest(`lane-${lane}`, args, { env }));
}

function filesNamed(folders, names) {
  return folders
    .flatMap((folder) => readdirSync(folder, { recursive: true }).map((name) => `${relative(root, folder)}/${name}`))
    .filter((path) => path.endsWith('.test.ts') && names.some((name) => path.includes(name)));
}

function hasTests(folder) {
  return existsSync(folder) && readdirSync(folder, { recursive: true }).some((name) => name.endsWith('.test.ts'));
}
