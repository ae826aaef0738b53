import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { CliProject } from '../../support/cli-project.js';

interface Stage {
  readonly stage: string;
  readonly status: string;
  readonly outputs: readonly string[];
  readonly error?: string;
}

describe('several backbones, and a program of the user’s', () => {
  let project: CliProject;
  beforeAll(() => {
    project = new CliProject();
    writeFileSync(
      join(project.folder, 'train.sh'),
      'echo "{\\"loss\\": $1}"\necho "model of $1 in $RESWEEP_TRIAL_DIR" > "$RESWEEP_TRIAL_DIR/model.txt"\n',
    );
    writeFileSync(
      join(project.folder, 'convert.sh'),
      'cp "$RESWEEP_MODEL_DIR/model.txt" "$RESWEEP_OUTPUT_DIR/model.bin"\n',
    );
    writeFileSync(
      join(project.folder, 'sweep.yaml'),
      `study: two
backbones: [small, large]
metric: { name: loss, goal: minimize }
trials: 3
sampler: { type: random, seed: 3 }
pruner: nop
parameters: { x: { min: 0.0, max: 1.0 } }
objective: { type: command, command: [sh, train.sh, '\${x}'] }
backup: { destinations: [{ name: disk, type: folder, path: backups }] }
convert: { command: [sh, convert.sh] }
`,
    );
  });
  afterAll(() => {
    project.remove();
  });

  it('run makes one study for each', () => {
    const { studies } = project.json<{ studies: { study8: string; trials: { complete: number } }[] }>(
      'run',
      'sweep.yaml',
    );
    expect(studies.map(({ trials }) => trials.complete)).toEqual([3, 3]);
    expect(studies[0]?.study8).not.toBe(studies[1]?.study8);
  });

  it('pipeline selects across them, trains by the program, and converts by its command', () => {
    const { stages } = project.json<{ stages: Stage[] }>('pipeline', 'sweep.yaml');
    expect(stages.map(({ stage, status, error }) => `${stage} ${status} ${error ?? ''}`.trim())).toEqual([
      'hpo skipped',
      'benchmark skipped',
      'select done',
      'train done',
      'convert done',
    ]);
    const [, , select, train, convert] = stages;
    const read = (path: string): Record<string, unknown> =>
      JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
    const selections = select?.outputs.map(read) ?? [];
    expect(selections.map(({ backbone }) => backbone)).toEqual(['small', 'large']);
    expect(selections.filter(({ isBestOfAll }) => isBestOfAll)).toHaveLength(1);
    const { loss } = read(join(train?.outputs[0] ?? '', 'metrics.json'));
    const best = selections.find(({ isBestOfAll }) => isBestOfAll)?.['numbers'] as { loss: number };
    expect(loss).toBe(best.loss);
    expect(readFileSync(join(convert?.outputs[0] ?? '', 'model.bin'), 'utf8')).toMatch(/^model of 0\.\d+ in .*spec-/);
    expect(project.json<{ stages: Stage[] }>('pipeline', 'sweep.yaml').stages.map(({ status }) => status)).toEqual(
      new Array(5).fill('skipped'),
    );
  });
});
