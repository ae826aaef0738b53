import type { CommandModule } from 'yargs';

import type { LaunchArguments } from '../arguments.js';
import { withOptionalSet } from '../common-options.js';

export const launchCommand: CommandModule<object, LaunchArguments> = {
  command: 'launch <action> [target]',
  describe: 'Start, watch and end workers of a sweep on a cluster',
  builder: (argv) =>
    withOptionalSet(argv)
      .positional('action', {
        choices: ['slurm', 'ray', 'kubernetes', 'status', 'stop', 'logs'] as const,
        demandOption: true,
        describe: 'An engine starts workers; status, stop and logs are about what was started',
      })
      .positional('target', {
        type: 'string',
        describe: 'Configuration (.yaml); for status, stop and logs also a storage URL',
      })
      .option('workers', { type: 'number', alias: 'w', describe: 'How many workers to start' })
      .option('jobs', { type: 'number', alias: 'j', describe: 'Trials at the same time in each worker' })
      .option('partition', { type: 'string', describe: 'Slurm: partition (launch.slurm.partition)' })
      .option('gpus', { type: 'string', describe: 'Accelerators of each worker (launch.ENGINE.gpus)' })
      .option('time', { type: 'string', describe: 'Slurm: time limit of each job, 4h (launch.slurm.time)' })
      .option('dry-run', { type: 'boolean', default: false, describe: 'Show what would be handed over, start nothing' })
      .option('out', { type: 'string', describe: 'Write what would be handed over to this file, start nothing' })
      .option('study', { type: 'string', describe: 'Name of the study, where the database holds several' })
      .option('launch', { type: 'string', describe: 'Only this launch, by its id' })
      .option('job', { type: 'string', describe: 'logs: of this job, such as "worker 3" or stages' })
      .option('now', { type: 'boolean', default: false, describe: 'stop: queue running trials again and end at once' })
      .example('$0 launch slurm configs/shared.yaml --workers 8 --partition gpu --gpus 1', 'a job array of workers')
      .example('$0 launch slurm configs/shared.yaml --workers 8 --dry-run', 'the scripts, without submitting them')
      .example('$0 launch status configs/shared.yaml', 'jobs of the engine and trials of the study')
      .example('$0 launch stop postgresql://me@db/sweeps --study digits', 'from anywhere') as never,
  handler: async (args) => (await import('../actions/launch.js')).launch(args),
};
