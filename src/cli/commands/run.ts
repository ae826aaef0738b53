import type { CommandModule } from 'yargs';

import type { RunArguments } from '../arguments.js';
import { withConfig } from '../common-options.js';

export const runCommand: CommandModule<object, RunArguments> = {
  command: 'run <config>',
  describe: 'Start a sweep, or go on with it',
  builder: (argv) =>
    withConfig(argv)
      .option('trials', { type: 'number', describe: 'Finished trials the study shall have in all (not "more")' })
      .option('timeout', { type: 'string', describe: 'Start no new trial after this time: 30m, 1h' })
      .option('jobs', { type: 'number', alias: 'j', describe: 'Trials at the same time' })
      .option('fresh', { type: 'boolean', default: false, describe: 'Begin another study; the one there stays' })
      .option('study', { type: 'string', describe: 'Name of the study in place of the configured one' })
      .option('storage', {
        type: 'string',
        describe:
          'Database (URL or file) in place of the configured one; of an earlier Optuna, or a journal: taken over',
      })
      .option('require-restore', {
        type: 'boolean',
        default: false,
        describe: 'Stop where a backup exists but cannot be restored',
      })
      .example('$0 run configs/quickstart.yaml', 'start; Ctrl-C; the same command goes on')
      .example('$0 run configs/quickstart.yaml --trials 50', 'go on until 50 trials are finished')
      .example('$0 run configs/quickstart.yaml --set parallel=1 --json', 'one at a time, result as JSON') as never,
  handler: async (args) => (await import('../actions/run.js')).run(args),
};
