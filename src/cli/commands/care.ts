import type { CommandModule } from 'yargs';

import type { CleanArguments, FsckArguments } from '../arguments.js';
import { withConfig, withOptionalSet } from '../common-options.js';

export const fsckCommand: CommandModule<object, FsckArguments> = {
  command: 'fsck <study>',
  describe: 'Check a study and its folder, and repair what can be repaired',
  builder: (argv) =>
    withOptionalSet(argv)
      .positional('study', {
        type: 'string',
        demandOption: true,
        describe: 'Configuration, study folder or study.db',
      })
      .option('dry-run', { type: 'boolean', default: false, describe: 'Only say what is wrong' })
      .example('$0 fsck configs/quickstart.yaml', 'damaged database, logs and locks of killed processes, odd clocks')
      .example('$0 fsck outputs/hpo/local/mlp/study-0123abcd --dry-run', 'changes nothing') as never,
  handler: async (args) => (await import('../actions/fsck.js')).fsck(args),
};

export const cleanCommand: CommandModule<object, CleanArguments> = {
  command: 'clean <config> [path]',
  describe: 'Free local space of what is verified at a destination; all else stays',
  builder: (argv) =>
    withConfig(argv)
      .positional('path', { type: 'string', describe: 'File or folder; default: the whole study' })
      .option('dry-run', { type: 'boolean', default: false, describe: 'Only say what would go and what would stay' })
      .option('destination', { type: 'string', describe: 'Count only this destination' })
      .option('same-disk', {
        type: 'boolean',
        default: false,
        describe: 'Count copies on this same disk too: they are lost with it',
      })
      .example('$0 clean configs/quickstart.yaml --dry-run', 'file by file: verified where, or why not')
      .example('$0 clean configs/quickstart.yaml', '`resweep restore` or `resweep run` brings it back') as never,
  handler: async (args) => (await import('../actions/clean.js')).clean(args),
};
