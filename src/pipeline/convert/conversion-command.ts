import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { ResweepError } from '../../core/errors.js';
import type { JsonValue } from '../../core/json.js';
import type { CommandObjectiveConfig } from '../../core/sweep-config.js';
import { CommandRunner } from '../../runner/command-runner.js';
import { StageInterrupted, type StageRun } from '../stage.js';
import type { TrainingSpec } from '../train/training-spec.js';

/**
 * Runs `convert.command`: it finds the training's folder in `${trial_dir}` (and RESWEEP_TRIAL_DIR), and puts its files into the folder
 * that RESWEEP_OUTPUT_DIR names. What it prints is in the folder's `log.txt`; a JSON object or number in its last line is kept.
 */
export async function runConversionCommand(
  run: StageRun,
  spec: TrainingSpec,
  {
    command,
    modelDir,
    folder,
  }: { readonly command: readonly string[]; readonly modelDir: string; readonly folder: string },
): Promise<Record<string, JsonValue>> {
  const { config, study8, place } = spec.study;
  const objective: CommandObjectiveConfig = {
    type: 'command',
    command: [...command],
    env: { RESWEEP_OUTPUT_DIR: folder, RESWEEP_MODEL_DIR: modelDir },
    cwd: config.objective.type === 'command' ? config.objective.cwd : undefined,
    grace: 10_000,
    identity: {},
  };
  const runner = new CommandRunner({ objective, projectRoot: place.projectRoot, study8, jobs: 1, needsResult: false });
  try {
    const outcome = await runner.run(
      {
        trialId: spec.trial,
        number: spec.trial,
        logicalIndex: 0,
        attempt: 0,
        studyName: config.study,
        params: spec.params,
        trialDir: spec.folder,
        checkpointDir: join(spec.folder, 'checkpoint'),
        seed: spec.runs[0]?.seed ?? 0,
        metrics: [{ name: 'value', direction: 'maximize' }],
        threads: 1,
      },
      {
        report: () => Promise.resolve('continue' as const),
        checkpoint: () => undefined,
        log: (line) => {
          run.info(line);
        },
      },
      run.options.signal,
    );
    if (outcome.state === 'interrupted') throw new StageInterrupted();
    if (outcome.state === 'failed')
      throw new ResweepError('CONVERSION_FAILED', `convert.command failed: ${outcome.failure.message}`);
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
      statSync(join(folder, name)).isFile(),
    );
    if (files.length === 0) {
      throw new ResweepError('CONVERSION_FAILED', 'convert.command ended well but wrote nothing.', {
        hint: `It is to write into the folder that RESWEEP_OUTPUT_DIR names (${folder}).`,
      });
    }
    return {
      command: [...command],
      files: [...files],
      checked: null,
      ...(outcome.state === 'complete' ? { metrics: { ...outcome.metrics } } : {}),
    };
  } finally {
    await runner.close();
  }
}
