import type { CommandModule } from 'yargs';

import type { BackupArguments, RestoreArguments } from '../arguments.js';
import { withOptionalConfig } from '../common-options.js';

export const backupCommand: CommandModule<object, BackupArguments> = {
  command: 'backup <action> [config] [file]',
  describe: 'Back up now; list, verify, repair, prune, rehearse or export what is saved',
  builder: (argv) =>
    withOptionalConfig(
      argv.positional('action', {
        choices: ['now', 'list', 'verify', 'repair', 'prune', 'drill', 'export'] as const,
        demandOption: true,
        describe:
          'now: save everything; list: every saved state; verify: check them; repair: mend what is damaged from what is whole elsewhere; prune: remove what the rules of keep need no more; ' +
          'drill: restore each copy elsewhere and train on it; export: one file for a machine without network',
      }),
    )
      .positional('file', { type: 'string', describe: 'export: the file to write; verify: an exported file' })
      .option('all', {
        type: 'boolean',
        default: false,
        describe: 'Everything at the destinations, not only this study',
      })
      .option('deep', { type: 'boolean', default: false, describe: 'verify: download, open and compare every copy' })
      .option('sample', { type: 'string', describe: 'verify: only this share of the older copies, such as 10%' })
      .option('repair', { type: 'boolean', default: false, describe: 'verify: then mend what was found damaged' })
      .option('destination', { type: 'string', describe: 'Only this destination' })
      .option('dry-run', {
        type: 'boolean',
        default: false,
        describe: 'prune: only say what would stay and go, and why',
      })
      .option('train', {
        type: 'boolean',
        default: true,
        describe: 'drill: --no-train leaves out the trial on the copy',
      })
      .option('report', { type: 'string', describe: 'drill: also write the report to this .html or .json file' })
      .example('$0 backup now configs/quickstart.yaml', 'a full, verified copy at every destination')
      .example('$0 backup list configs/quickstart.yaml', 'what --at of restore takes')
      .example('$0 backup verify configs/quickstart.yaml --deep', 'exit code 3 where one is damaged')
      .example('$0 backup repair configs/quickstart.yaml', 'from other destinations, plain copies and this machine')
      .example('$0 backup prune configs/quickstart.yaml --dry-run', 'every keep and removal, with its reason')
      .example('$0 backup drill configs/quickstart.yaml', 'rehearses the loss of this machine, and times it')
      .example(
        '$0 backup export study.zip configs/quickstart.yaml',
        'one file; without a configuration: every study',
      ) as never,
  handler: async (args) => (await import('../actions/backup.js')).backup(args),
};

export const restoreCommand: CommandModule<object, RestoreArguments> = {
  command: 'restore [config] [path]',
  describe: 'Bring a study, or one file or folder, back from a backup',
  builder: (argv) =>
    withOptionalConfig(argv)
      .positional('path', { type: 'string', describe: 'File or folder; default: the study of the configuration' })
      .option('at', { type: 'string', describe: 'A snapshot of `backup list`, or a time: the state then' })
      .option('from', { type: 'string', describe: 'Only this destination, or an exported file' })
      .option('to', { type: 'string', describe: 'Folder to restore into, in place of the project' })
      .option('branch', { type: 'string', describe: 'Which history, where there are several' })
      .example('$0 restore configs/quickstart.yaml', 'the newest good copy; a local file is never overwritten')
      .example('$0 restore outputs/hpo/local/mlp/study-0123abcd/study.db', 'one path; its configuration is looked for')
      .example(
        '$0 restore configs/quickstart.yaml --at 2026-11-23T12:00:00Z --to look',
        'as it was, in a folder of its own',
      )
      .example('$0 restore --from study.zip', 'everything in an exported file') as never,
  handler: async (args) => (await import('../actions/restore.js')).restore(args),
};
