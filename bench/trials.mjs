// Time that a trial costs beside what it does: `resweep run` with commands and functions that do nothing, against starting the same
// command in a bare loop. Runs of two lengths are subtracted, so that start and end of the command cost nothing.
// node bench/trials.mjs [--pairs 3]      needs: npm run build
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const args = process.argv.slice(2);
const pairs = args[0] === '--pairs' ? Number(args[1]) : 3;
const main = resolve('dist/cli/main.js');
const short = 20;
const long = 220;

const cases = [
  {
    name: 'command that does nothing, cold',
    goalMs: 30,
    objective: "{ type: command, command: [sh, -c, 'echo 0'] }",
    bare: () => new Promise((done) => spawn('sh', ['-c', 'echo 0'], { stdio: 'ignore' }).on('close', done)),
  },
  { name: 'function of a module, warm', goalMs: 3, objective: '{ type: module, path: nothing.mjs }', bare: undefined },
];

function sweepMs(objective, trials) {
  const folder = mkdtempSync(join(tmpdir(), 'resweep-trials-'));
  try {
    writeFileSync(join(folder, 'package.json'), '{"type": "module"}');
    writeFileSync(join(folder, 'nothing.mjs'), 'export default () => 0;\n');
    writeFileSync(
      join(folder, 'sweep.yaml'),
      `study: nothing\nbackbone: none\nmetric: { name: loss, goal: minimize }\ntrials: ${trials}\nsampler: random\npruner: nop\nparameters: { x: { min: 0.0, max: 1.0 } }\nobjective: ${objective}\n`,
    );
    const output = execFileSync(process.execPath, [main, 'run', 'sweep.yaml', '--json', '--quiet'], {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return JSON.parse(output).elapsedSeconds * 1000;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

for (const { name, goalMs, objective, bare } of cases) {
  const added = [];
  for (let pair = 0; pair < pairs; pair++) {
    const perTrial = (sweepMs(objective, long) - sweepMs(objective, short)) / (long - short);
    let bareMs = 0;
    if (bare !== undefined) {
      const start = performance.now();
      for (let i = 0; i < long - short; i++) await bare();
      bareMs = (performance.now() - start) / (long - short);
    }
    added.push(perTrial - bareMs);
  }
  const value = median(added);
  console.log(
    `${name}: ${value.toFixed(2)} ms added to a trial (${added.map((ms) => ms.toFixed(2)).join(', ')}), goal ${goalMs} ms: ${value <= goalMs ? 'reached' : 'missed'}`,
  );
}
