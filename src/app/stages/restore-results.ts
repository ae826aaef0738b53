import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { messageOf } from '../../core/errors.js';
import { selectionFile } from '../../core/study-paths.js';
import { BENCHMARK_FILE } from '../../pipeline/benchmark/benchmark-report.js';
import { conversionOf } from '../../pipeline/convert/run-convert.js';
import type { Selection } from '../../pipeline/select/run-select.js';
import { StageRun } from '../../pipeline/stage.js';
import { rankedTrials, type StageStudy } from '../../pipeline/stage-study.js';
import { trainingSpec } from '../../pipeline/train/training-spec.js';
import { StageSession } from './stage-session.js';

/**
 * Brings back what the stages of a configuration left behind and is missing here: measurements, selection, final training, conversion.
 * What was never made, or is nowhere, stays missing; what goes wrong is warned of.
 */
export async function restoreResults(path: string): Promise<void> {
  const warn = (text: string): void => {
    process.emitWarning(text, 'ResweepBackupWarning');
  };
  try {
    const observer = { message: (level: string, text: string) => (level === 'info' ? undefined : warn(text)) };
    const session = await StageSession.open(path, { observer });
    try {
      const run = new StageRun('select', session.stage('select'));
      for (const study of await session.studies()) await restoreOf(run, study);
    } finally {
      await session.close();
    }
  } catch (error) {
    warn(`What the stages of ${path} left behind was not restored: ${messageOf(error)}`);
  }
}

async function restoreOf(run: StageRun, study: StageStudy): Promise<void> {
  for (const trial of rankedTrials(study).slice(0, study.config.benchmark.top)) {
    await run.isThere(join(study.trialDirOf(trial), BENCHMARK_FILE));
  }
  const selection = selectionFile(study.place, study.study8);
  if (!(await run.isThere(selection))) return;
  // Written by the stage, and verified on its way back.
  const spec = trainingSpec(study, JSON.parse(readFileSync(selection, 'utf8')) as Selection);
  if (!(await run.isThere(spec.folder, true))) return;
  await run.isThere(conversionOf(spec).folder, true);
}
