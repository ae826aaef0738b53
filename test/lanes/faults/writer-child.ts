/* Program of the fault tests: adds finished trials to a study for a while, without pause. */
import { FloatDistribution } from '../../../src/core/distributions.js';
import { openStorage } from '../../../src/storage/open-storage.js';

const [path = '', milliseconds = '1000', seed = '0'] = process.argv.slice(2);
const storage = await openStorage(path);
const study = await storage.findStudy('digits');
if (study === undefined) throw new Error(`no study in ${path}`);
const distribution = new FloatDistribution(0, 1);
const until = Date.now() + Number(milliseconds);
for (let count = 0; Date.now() < until; count++) {
  const x = (count * 0.37 + Number(seed) * 0.1) % 1;
  await storage.createTrials(study.studyId, [
    {
      state: 'COMPLETE',
      values: [x],
      startedAt: '2026-03-01 10:00:00.000000',
      completedAt: '2026-03-01 10:00:01.000000',
      internalParams: { x },
      distributions: { x: distribution },
    },
  ]);
}
await storage.close();
