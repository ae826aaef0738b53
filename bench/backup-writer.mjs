// Commits to a study without end, for bench/backup.mjs: a report every few milliseconds. Each message to it asks for the
// durations of the commits since the last one.
import { openStorage } from '../dist/index.js';

const [path, everyMs] = process.argv.slice(2);
const storage = await openStorage(path, { durability: 'normal' });
const study = await storage.findStudy('bench');
let durations = [];
let ended = false;
process.on('message', (message) => {
  process.send(durations);
  durations = [];
  if (message === 'end') ended = true;
});
const template = { state: 'COMPLETE', values: [1] };
for (;;) {
  const start = performance.now();
  await storage.createTrials(study.studyId, [template]);
  durations.push(performance.now() - start);
  if (ended) break;
  await new Promise((resolve) => setTimeout(resolve, Number(everyMs)));
}
await storage.close();
process.disconnect();
