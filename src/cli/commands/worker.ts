import type { CommandModule } from 'yargs';

import type { StopArguments, WorkerArguments } from '../arguments.js';
import { withTarget } from '../common-options.js';

export const workerCommand: CommandModule<object, WorkerArguments> = {
  command: 'worker [target]',
  describe: 'Join a shared study until its budget is met',
  builder: (argv) =>
    argv
      .positional('target', {
        type: 'string',
        describe:
          'Storage URL (the study holds its configuration), or a YAML file with such a URL; default: what RESWEEP_STORAGE_URL, or the file named by RESWEEP_STORAGE_URL_FILE, holds',
      })
      .option('study', { type: 'string', describe: 'Name of the study, where the database holds several' })
      .option('jobs', { type: 'number', alias: 'j', describe: 'Trials at the same time in this worker' })
      .option('timeout', { type: 'string', describe: 'Start no new trial after this time: 30m, 1h' })
      .option('check', {
        type: 'boolean',
        default: false,
        describe: 'Run nothing: exit code 0 where the budget is met, 1 where trials are left',
      })
      .option('set', {
        type: 'string',
        array: true,
        nargs: 1,
        default: [] as string[],
        describe: 'Override a key for this worker: --set limits.memory=2GB',
      })
      .example('$0 worker postgresql://me@db/sweeps --study digits', 'needs the URL only')
      .example('$0 worker configs/shared.yaml --jobs 4', 'the first worker of all, which begins the study') as never,
  handler: async (args) => (await import('../actions/worker.js')).worker(args),
};

export const stopCommand: CommandModule<object, StopArguments> = {
  command: 'stop [target]',
  describe: 'End a running sweep cleanly, wherever its workers are',
  builder: (argv) =>
    withTarget(argv)
      .option('now', {
        type: 'boolean',
        default: false,
        describe: 'Interrupt running trials too (checkpoint, queued again)',
      })
      .example('$0 stop configs/quickstart.yaml', 'running trials are finished, no new one starts')
      .example('$0 stop postgresql://me@db/sweeps --study digits --now', 'every worker of a shared study') as never,
  handler: async (args) => (await import('../actions/worker.js')).stop(args),
};
