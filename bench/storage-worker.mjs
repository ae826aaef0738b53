// One worker process of bench/storage.mjs: `connections` studies at once, so many trials in all. One argument, JSON. Says "ready",
// waits for a line on stdin, and prints its seconds when it is done.
import { createStudy, NopPruner, RandomSampler } from '../dist/index.js';

const { storage, studyName, trials, connections = 1, sleepMs = 0 } = JSON.parse(process.argv[2]);
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const objective = (trial) => {
  const value = trial.suggestFloat('x', -5, 5) ** 2 + trial.suggestFloat('y', 1e-5, 1e-1, { log: true });
  return sleepMs === 0 ? value : pause(sleepMs).then(() => value);
};
const studies = await Promise.all(
  Array.from({ length: connections }, async () => {
    const study = await createStudy({
      storage,
      studyName,
      sampler: new RandomSampler(),
      pruner: new NopPruner(),
      loadIfExists: true,
    });
    await study.sync();
    return study;
  }),
);
console.log('ready');
await new Promise((resolve) => process.stdin.once('data', resolve));
process.stdin.pause();
const start = performance.now();
const each = Math.floor(trials / connections);
await Promise.all(
  studies.map((study, i) => study.optimize(objective, { nTrials: i === 0 ? trials - each * (connections - 1) : each })),
);
console.log(`seconds ${(performance.now() - start) / 1000}`);
for (const study of studies) await study.close();
