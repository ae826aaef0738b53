import type { Argv } from 'yargs';

import type { GlobalArguments } from './arguments.js';
import { Output } from './output.js';

export function outputOf(args: GlobalArguments): Output {
  return new Output({ json: args.json, verbosity: args.quiet ? 'quiet' : args.verbose ? 'verbose' : 'normal' });
}

const setOption = {
  type: 'string',
  array: true,
  nargs: 1,
  default: [] as string[],
  describe: 'Override a key: --set parallel=4 --set sampler.seed=1',
} as const;

export function withConfig<T>(argv: Argv<T>): Argv<T & { config: string; set: string[] }> {
  return argv
    .positional('config', { type: 'string', describe: 'YAML file of the sweep', demandOption: true })
    .option('set', setOption);
}

export function withOptionalSet<T>(argv: Argv<T>): Argv<T & { set: string[] }> {
  return argv.option('set', setOption);
}

/** Where another word can stand for the configuration. */
export function withOptionalConfig<T>(argv: Argv<T>): Argv<T & { config: string | undefined; set: string[] }> {
  return argv.positional('config', { type: 'string', describe: 'YAML file of the sweep' }).option('set', setOption);
}

export function withTarget<T>(argv: Argv<T>): Argv<T & { target: string | undefined; study: string | undefined }> {
  return argv
    .positional('target', {
      type: 'string',
      describe: 'Configuration, study folder, database file or storage URL; default: the study last worked on',
    })
    .option('study', { type: 'string', describe: 'Name of the study, where the database holds several' });
}
