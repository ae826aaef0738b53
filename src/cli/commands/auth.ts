import type { CommandModule } from 'yargs';

import type { AuthArguments } from '../arguments.js';

export const authCommand: CommandModule<object, AuthArguments> = {
  command: 'auth <service>',
  describe: 'Sign in to Google Drive, for backups by its API',
  builder: (argv) =>
    argv
      .positional('service', { choices: ['google'] as const, demandOption: true, describe: 'Where to sign in' })
      .option('scope', {
        choices: ['drive.file', 'drive'] as const,
        default: 'drive.file' as const,
        describe: 'drive.file: only what resweep itself makes; drive: everything in the Drive',
      })
      .option('client', {
        type: 'string',
        describe:
          'File of your OAuth client (client_secret_….json); default: RESWEEP_GOOGLE_CLIENT_ID and RESWEEP_GOOGLE_CLIENT_SECRET',
      })
      .option('browser', {
        type: 'boolean',
        default: true,
        describe: '--no-browser only prints the address, and takes the answer from stdin too',
      })
      .example('$0 auth google --client client_secret.json', 'consent in the browser; the sign-in is stored')
      .example('$0 auth google --no-browser', 'on a machine without one, over ssh') as never,
  handler: async (args) => (await import('../actions/auth.js')).auth(args),
};
