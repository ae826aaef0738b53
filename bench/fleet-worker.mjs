// One process of bench/fleet.mjs: so many workers, each with a study and a connection of its own. One argument, JSON. Says "ready",
// waits for a line on stdin, and prints what it did as JSON.
import { createStudy, NopPruner, RandomSampler } from '../dist/index.js';

const { storage, studyName, workers, sleepMs, seconds } = JSON.parse(process.argv[2]);
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const studies = [];
for (let i = 0; i < workers; i++) {
  const study = await createStudy({
    storage,
    studyName,
    sampler: new RandomSampler(),
    pruner: new NopPruner(),
    loadIfExists: true,
  });
  await study.sync();
  studies.push(study);
}
console.log('ready');
await new Promise((resolve) => process.stdin.once('data', resolve));
process.stdin.pause();
const start = performance.now();
const cpu = process.cpuUsage();
const overheadMs = [];
let trials = 0;
await Promise.all(
  studies.map(async (study) => {
    // Not all at once: a fleet is never in step.
    await pause(Math.random() * sleepMs);
    while (performance.now() - start < seconds * 1000) {
      const began = performance.now();
      const trial = await study.ask();
      const value = trial.suggestFloat('x', -5, 5) ** 2 + trial.suggestFloat('y', 1e-5, 1e-1, { log: true });
      await trial.report(value, 0); // stores the parameters, as a worker does before it starts
      const slept = performance.now();
      await pause(sleepMs);
      const woke = performance.now();
      await study.tell(trial, value);
      overheadMs.push(slept - began + performance.now() - woke);
      trials++;
    }
  }),
);
const { user, system } = process.cpuUsage(cpu);
const took = (performance.now() - start) / 1000;
console.log(
  JSON.stringify({
    trials,
    seconds: took,
    cpuSeconds: (user + system) / 1e6,
    overheadMs: overheadMs.filter((_, i) => i % 10 === 0).map(Math.round),
  }),
);
for (const study of studies) await study.close();
