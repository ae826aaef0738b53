import { basename, dirname, resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';

import { UsageError } from '../../core/errors.js';
import { defaultObjective, initProject, type InitOptions } from '../../app/init/init-project.js';
import type { InitArguments } from '../arguments.js';
import { outputOf } from '../common-options.js';
import type { Output } from '../output.js';

const OBJECTIVES = ['tfjs', 'command', 'module'] as const;

/** `resweep init`. */
export async function init(args: InitArguments): Promise<void> {
  const output = outputOf(args);
  const isTerminal = process.stdin.isTTY && process.stdout.isTTY && !args.json;
  if (!args.yes && !isTerminal) {
    throw new UsageError('There is no terminal to ask questions on.', {
      hint: 'resweep init --yes takes the defaults; --objective, --study and --trials change them.',
    });
  }
  if (args.trials !== undefined && !(Number.isInteger(args.trials) && args.trials > 0))
    throw new UsageError(`--trials must be a whole number above 0, but got ${args.trials}.`);
  const defaults = {
    objective: args.objective ?? defaultObjective(),
    study: args.study ?? (basename(dirname(resolve(args.config))).replaceAll(/[^\w.-]+/g, '-') || 'first-sweep'),
    trials: args.trials ?? 20,
  };
  const answers = args.yes ? defaults : await ask(args, defaults, output);
  const result = await initProject({ path: args.config, ...answers });
  const next = `resweep run ${result.config}`;
  if (output.json) output.document({ config: result.config, files: [...result.files], next });
  for (const file of result.files) output.print(`Written: ${file}`);
  output.print();
  output.print(`Next: ${output.style('bold', next)}`);
}

type Answers = Pick<InitOptions, 'objective' | 'study' | 'trials'>;

/** Asks what no option says; an empty answer takes the value in brackets. */
async function ask(args: InitArguments, defaults: Answers, output: Output): Promise<Answers> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const abort = new AbortController();
  terminal.once('SIGINT', () => {
    abort.abort();
  });
  const question = async <T>(
    text: string,
    preset: T,
    allowed: string,
    read: (answer: string) => T | undefined,
  ): Promise<T> => {
    for (;;) {
      const answer = (await terminal.question(`${text} [${String(preset)}] `, { signal: abort.signal })).trim();
      const value = answer === '' ? preset : read(answer);
      if (value !== undefined) return value;
      output.print(`It must be ${allowed}, but got "${answer}".`);
    }
  };
  try {
    const objective =
      args.objective ??
      (await question(
        'A trial is: tfjs (built-in trainer), command (any program), module (a function)',
        defaults.objective,
        'tfjs, command or module',
        (answer) => OBJECTIVES.find((name) => answer !== '' && name.startsWith(answer)),
      ));
    const study = args.study ?? (await question('Name of the study', defaults.study, 'any text', (answer) => answer));
    const trials =
      args.trials ??
      (await question('Trials in all', defaults.trials, 'a whole number above 0', (answer) =>
        /^[1-9]\d*$/.test(answer) ? Number(answer) : undefined,
      ));
    return { objective, study, trials };
  } catch (error) {
    if (abort.signal.aborted) throw new UsageError('Left without writing anything.', { cause: error });
    throw error;
  } finally {
    terminal.close();
  }
}
