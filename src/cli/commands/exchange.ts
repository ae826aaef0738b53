import type { CommandModule } from 'yargs';

import type { CompareArguments, CopyArguments, ImportArguments } from '../arguments.js';
import { withOptionalSet } from '../common-options.js';

export const compareCommand: CommandModule<object, CompareArguments> = {
  command: 'compare <a> <b> [target]',
  describe: 'Two studies, or two trials of one, side by side',
  builder: (argv) =>
    argv
      .positional('a', {
        type: 'string',
        demandOption: true,
        describe: 'A study (as for status), or the number of a trial',
      })
      .positional('b', { type: 'string', demandOption: true, describe: 'Another one' })
      .positional('target', { type: 'string', describe: 'For trials: their study; default: the one last worked on' })
      .option('study', {
        type: 'string',
        array: true,
        nargs: 1,
        default: [] as string[],
        describe: 'Name of the study, where a database holds several; given twice: the first of A, the second of B',
      })
      .example('$0 compare configs/a.yaml configs/b.yaml', 'numbers of trials, best values, parameters of the best')
      .example('$0 compare 3 7 configs/quickstart.yaml --json', 'two trials, as JSON')
      .example('$0 compare all.db all.db --study tpe --study random', 'two studies of one database') as never,
  handler: async (args) => (await import('../actions/compare.js')).compare(args),
};

export const copyCommand: CommandModule<object, CopyArguments> = {
  command: 'copy <from> <to>',
  describe: 'Copy a study between storages: file, PostgreSQL, MySQL',
  builder: (argv) =>
    argv
      .positional('from', {
        type: 'string',
        demandOption: true,
        describe: 'Configuration, study folder, database file or storage URL',
      })
      .positional('to', { type: 'string', demandOption: true, describe: 'Database file or storage URL' })
      .option('study', { type: 'string', describe: 'Which study, where the first storage holds several' })
      .option('name', { type: 'string', describe: 'Another name for the copy' })
      .example('$0 copy configs/quickstart.yaml postgresql://me@db/sweeps', 'go on with many workers')
      .example('$0 copy postgresql://me@db/sweeps sweep.db --study digits', 'take it home as a file') as never,
  handler: async (args) => (await import('../actions/copy.js')).copy(args),
};

export const importCommand: CommandModule<object, ImportArguments> = {
  command: 'import <file>',
  describe: 'Take over an Optuna database or journal, or a W&B sweep file',
  builder: (argv) =>
    withOptionalSet(argv)
      .positional('file', {
        type: 'string',
        demandOption: true,
        describe: 'Database of any Optuna since 0.9, journal file, or sweep file (.yaml); it is only read',
      })
      .option('config', { type: 'string', describe: 'The study becomes that of this configuration' })
      .option('storage', { type: 'string', describe: 'Database file or URL that it is put into' })
      .option('study', { type: 'string', describe: 'Which study, where the file holds several' })
      .option('name', { type: 'string', describe: 'Another name for it in the storage' })
      .option('out', { type: 'string', describe: 'For a sweep file: the configuration to write' })
      .example('$0 import optuna.db --config configs/sweep.yaml', 'resweep run configs/sweep.yaml then goes on with it')
      .example('$0 import journal.log --storage study.db --study digits', 'into a database file')
      .example('$0 import sweep.yaml --out configs/sweep.yaml', 'a W&B sweep file as a configuration') as never,
  handler: async (args) => (await import('../actions/import.js')).importCommand(args),
};
