import { describe, expect, it } from 'vitest';

import { DOCTOR_CHECKS } from '../../src/app/doctor/checks.js';
import { runDoctor } from '../../src/app/doctor/run-doctor.js';
import { runTool } from '../../src/training/native/run-tool.js';

describe('doctor', () => {
  it('says for each thing how it is, and what to do where it is not good', async () => {
    const reports = await runDoctor({ names: ['tensorflow'], fix: false, say: () => {} });
    expect(reports).toHaveLength(1);
    const [{ state, hint, details }] = reports as [(typeof reports)[0]];
    expect(details).toMatchObject({ wasm: 'works', cpu: 'works' });
    expect(state === 'good' || hint === 'resweep doctor --fix tensorflow').toBe(true);
  });

  it('names what it knows, and the nearest', async () => {
    await expect(runDoctor({ names: ['tensorflo'], fix: true, say: () => {} })).rejects.toMatchObject({
      message: expect.stringContaining('doctor knows nothing called "tensorflo"') as string,
      hint: 'Did you mean "tensorflow"?',
    });
    expect(new Set(DOCTOR_CHECKS.map(({ name }) => name)).size).toBe(DOCTOR_CHECKS.length);
  });

  it('quotes the last lines of a tool that fails, and names one that is missing', async () => {
    const run = (program: string, args: string[]) => runTool(program, args, { purpose: 'Compiling' });
    await expect(run(process.execPath, ['-e', 'console.error("no header"); process.exit(3)'])).rejects.toMatchObject({
      code: 'TOOL_FAILED',
      message: expect.stringMatching(/^Compiling: .* ended with 3\.\n {2}no header$/) as string,
    });
    await expect(run('no-such-tool', [])).rejects.toMatchObject({ code: 'TOOL_MISSING' });
  });
});
