// One sweep in a process of its own, for bench/backup.mjs; prints what it measured as JSON.
// node bench/backup-sweep.mjs CONFIG TRIALS LATENCY_MS     TRIALS: in total, those that are there counted
import { dirname, join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';

import { BackupCoordinator, FolderDestination, runSweep } from '../dist/index.js';
import { readEvents } from '../build/app/sweep/events-log.js';

const [configPath, trials, latency] = process.argv.slice(2);

// A folder as far away as the network makes it: every request takes so much longer.
for (const method of ['check', 'put', 'get', 'download', 'checksum', 'list', 'remove']) {
  const request = FolderDestination.prototype[method];
  FolderDestination.prototype[method] = async function (...args) {
    await new Promise((resolve) => setTimeout(resolve, Number(latency)));
    return request.apply(this, args);
  };
}

// The only calls that a trial waits for.
const callbackMs = [];
for (const method of ['studyChanged', 'folderChanged']) {
  const callback = BackupCoordinator.prototype[method];
  BackupCoordinator.prototype[method] = function () {
    const start = performance.now();
    callback.call(this);
    callbackMs.push(performance.now() - start);
  };
}

const delay = monitorEventLoopDelay({ resolution: 5 });
delay.enable();
const { summary } = await runSweep({ configPath, trials: Number(trials) });
delay.disable();

const events = readEvents(join(dirname(summary.studyDb), 'events.jsonl'));
const start = events.findLastIndex(({ event }) => event === 'sweep-started' || event === 'sweep-resumed');
const run = events.slice(start);
const at = ({ at }) => Date.parse(at);
const ends = run.filter(({ event }) => event === 'trial-ended').map(at);
// From one trial's end to the next one's start: what the orchestrator takes between two.
const gapMs = run.flatMap((event, index) => {
  if (event.event !== 'trial-ended') return [];
  const next = run.slice(index + 1).find((later) => later.event === 'trial-started');
  return next === undefined ? [] : [at(next) - at(event)];
});
process.stdout.write(
  `${JSON.stringify({
    seconds: (Math.max(...ends) - at(run[0])) / 1000,
    ended: ends.length,
    copies: run.filter(({ event, path }) => event === 'backup' && path.endsWith('/study.db')).length,
    callbackMs,
    gapMs,
    loopDelayMs: { p99: delay.percentile(99) / 1e6, max: delay.max / 1e6 },
    problems: run.filter(({ event }) => event === 'backup-failed').map(({ message }) => message),
  })}\n`,
);
