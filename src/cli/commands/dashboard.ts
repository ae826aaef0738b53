import type { CommandModule } from 'yargs';

import type { DashboardArguments } from '../arguments.js';

export const dashboardCommand: CommandModule<object, DashboardArguments> = {
  command: 'dashboard [places..]',
  describe: 'Look at studies in a browser, live',
  builder: (argv) =>
    argv
      .positional('places', {
        type: 'string',
        array: true,
        default: [] as string[],
        describe: 'Projects, study folders, database files, configurations, storage URLs; default: this project',
      })
      .option('port', { type: 'number', default: 8484, describe: 'Port to listen on; 0: any free one' })
      .option('host', {
        type: 'string',
        default: '127.0.0.1',
        describe: 'Address to listen on; any other than this machine asks every visitor for a token',
      })
      .option('token', { type: 'string', describe: 'The token to ask for, in place of a random one' })
      .option('allow-host', {
        type: 'string',
        array: true,
        nargs: 1,
        default: [] as string[],
        describe: 'A further name under which it is addressed, such as that of a proxy',
      })
      .example('$0 dashboard', 'all studies under outputs/')
      .example('$0 dashboard study.db', "another program's Optuna database")
      .example('$0 dashboard --host 0.0.0.0 --allow-host lab7', 'for the lab; prints an address with a token') as never,
  handler: async (args) => (await import('../actions/dashboard.js')).dashboard(args),
};
