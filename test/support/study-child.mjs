/**
 * A process of its own that works on a study. One argument, JSON:
 *   storage, studyName        where
 *   sampler                   'tpe' (default) or 'random'
 *   nTrials | total           so many trials in this process | until the study has so many
 *   log                       appends `start NUMBER`, then `end NUMBER STATE` once it is stored
 *   pauseMs                   longest time an objective takes
 *   hangAt                    the objective of this trial says so and never ends
 *   like                      'optuna': the parameters of the interoperability tests
 *   create                    makes the file and the study where they are missing
 *   reports, failEvery        intermediate values per trial; every n-th trial throws
 */
import { appendFileSync } from 'node:fs';

import { createStudy, loadStudy, RandomSampler, TPESampler } from '../../dist/index.js';

const options = JSON.parse(process.argv[2]);
const { storage, studyName, nTrials, total, log, pauseMs = 0, hangAt, reports = 0, failEvery, like } = options;
const note = (text) => {
  if (log !== undefined) appendFileSync(log, `${text}\n`);
};
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const sampler = options.sampler === 'random' ? new RandomSampler() : new TPESampler();
const open = options.create ? createStudy : loadStudy;
const study = await open({
  loadIfExists: true,
  storage,
  studyName,
  sampler,
  ...(options.heartbeat && { heartbeat: options.heartbeat }),
});

function optunaParams(trial) {
  trial.suggestFloat('lr', 1e-5, 1e-1, { log: true });
  trial.suggestInt('width', 1, 1024, { log: true });
  return trial.suggestCategorical('kind', ['a', 1, 2.5, true, null]);
}

const objective = async (trial) => {
  const x = trial.suggestFloat('x', -5, 5);
  const k = trial.suggestInt('k', 1, 8, { log: true });
  const c = like === 'optuna' ? optunaParams(trial) : trial.suggestCategorical('c', ['a', 'b', null]);
  note(`start ${trial.number}`);
  for (let step = 0; step < reports; step++) await trial.report(x * x + 1 / (step + 1), step);
  if (pauseMs > 0) await pause(Math.random() * pauseMs);
  if (hangAt === trial.number) {
    await trial.report(x, 1000);
    trial.setUserAttr('seen', x);
    await trial.flush();
    console.log(`hangs ${trial.number}`);
    await pause(2 ** 30);
  }
  if (failEvery !== undefined && trial.number % failEvery === failEvery - 1) throw new RangeError('on purpose');
  return x * x + k + (c === 'a' ? 0 : 1);
};

console.log('ready');
await study.optimize(objective, {
  ...(total === undefined ? { nTrials } : {}),
  catch: [RangeError],
  callbacks: [
    (_, trial) => {
      note(`end ${trial.number} ${trial.state}`);
      if (total !== undefined && study.history.all.length >= total) study.stop();
    },
  ],
});
await study.close();
console.log('done');
