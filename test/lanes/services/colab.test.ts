import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

import { afterAll, describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const python = process.env['RESWEEP_PYTHON'];

describe.skipIf(python === undefined)('notebooks/colab.ipynb, with a folder in the place of Drive', () => {
  const base = mkdtempSync(join(tmpdir(), 'resweep-colab-'));
  const [drive, bin] = [join(base, 'drive'), join(base, 'bin')];
  for (const folder of [drive, bin]) mkdirSync(folder);
  writeFileSync(
    join(bin, 'resweep'),
    `#!/bin/sh\nexec '${process.execPath}' '${join(ROOT, 'dist/cli/main.js')}' "$@"\n`,
  );
  chmodSync(join(bin, 'resweep'), 0o755);
  afterAll(() => {
    rmSync(base, { recursive: true, force: true, maxRetries: 5 });
  });

  /** Runs every cell in a real kernel; throws with the failing cell's output. */
  const runAll = (project: string): string => {
    const out = join(base, 'executed.ipynb');
    execFileSync(
      python ?? '',
      ['-m', 'nbconvert', '--to', 'notebook', '--execute', '--ExecutePreprocessor.timeout=500', '--output', out].concat(
        join(ROOT, 'notebooks', 'colab.ipynb'),
      ),
      {
        stdio: 'pipe',
        env: {
          ...process.env,
          PATH: `${bin}${delimiter}${join(python ?? '', '..')}${delimiter}${process.env['PATH'] ?? ''}`,
          RESWEEP_NOTEBOOK_DRIVE: drive,
          RESWEEP_NOTEBOOK_PROJECT: join(base, project),
          RESWEEP_NOTEBOOK_TRIALS: '4',
          RESWEEP_NOTEBOOK_EPOCHS: '2',
        },
      },
    );
    return execFileSync('cat', [out], { encoding: 'utf8', maxBuffer: 1e8 });
  };

  it('runs from the top to a model in ONNX, and goes on after its machine is lost', () => {
    runAll('first');
    const models = readdirSync(join(base, 'first', 'outputs', 'conversion'), { recursive: true, encoding: 'utf8' });
    expect(models.some((name) => name.endsWith('model.onnx'))).toBe(true);
    expect(existsSync(join(drive, 'resweep', 'report.html'))).toBe(true);
    // Another machine, with nothing but Drive.
    rmSync(join(base, 'first'), { recursive: true });
    const executed = runAll('first');
    expect(executed).toContain('Restored from');
    expect(executed).not.toContain('Starting: 4 trials');
  });
});
