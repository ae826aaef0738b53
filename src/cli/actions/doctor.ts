import { runDoctor } from '../../app/doctor/run-doctor.js';
import { UsageError } from '../../core/errors.js';
import type { JsonValue } from '../../core/json.js';
import type { DoctorArguments } from '../arguments.js';
import { outputOf } from '../common-options.js';

const SIGNS = { good: ['green', '✓'], warning: ['yellow', '!'], bad: ['red', '✗'] } as const;

/** `resweep doctor`. Exit code 1 where something is bad, or could not be mended. */
export async function doctor(args: DoctorArguments): Promise<void> {
  const output = outputOf(args);
  const isConfig = (word: string): boolean => /\.ya?ml$/i.test(word);
  const configs = args.checks.filter(isConfig);
  if (configs.length > 1) throw new UsageError(`doctor takes one configuration, but got ${configs.join(', ')}.`);
  const reports = await runDoctor({
    names: args.checks.filter((word) => !isConfig(word)),
    configPath: configs[0],
    fix: args.fix,
    say: (line) => {
      output.info(line);
    },
  });
  if (output.json) output.document({ checks: reports as unknown as JsonValue });
  for (const { title, state, summary, hint, details } of reports) {
    const [color, sign] = SIGNS[state];
    output.print(`${output.style(color, sign)} ${output.style('bold', title)}: ${summary}`);
    if (hint !== undefined) output.print(`  Try: ${hint}`);
    for (const [name, text] of Object.entries(details ?? {})) output.detail(`  ${name}: ${text}`);
  }
  if (reports.some(({ state }) => state === 'bad')) process.exitCode = 1;
}
