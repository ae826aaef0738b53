import { expect, it } from 'vitest';

import { createStudy, TPESampler } from '../../src/index.js';

it('stays inside of a range that is narrower than any bandwidth', async () => {
  for (const multivariate of [false, true]) {
    const study = await createStudy({ sampler: new TPESampler({ seed: 1, nStartupTrials: 2, multivariate }) });
    for (let i = 0; i < 8; i++) {
      const trial = await study.ask();
      const value = trial.suggestFloat('a', 0, 5e-324);
      expect([0, 5e-324]).toContain(value);
      await study.tell(trial, i % 3);
    }
    await study.close();
  }
});
