import type { CommandModule } from 'yargs';

import type { DoctorArguments } from '../arguments.js';

export const doctorCommand: CommandModule<object, DoctorArguments> = {
  command: 'doctor [checks..]',
  describe: 'What this machine can do; mend it with --fix',
  builder: (argv) =>
    argv
      .positional('checks', {
        type: 'string',
        array: true,
        default: [] as string[],
        describe: 'A configuration whose needs are looked at too, and names of checks; default: all of them',
      })
      .option('fix', { type: 'boolean', default: false, describe: 'Mend what can be mended' })
      .example('$0 doctor', 'what works here')
      .example('$0 doctor configs/quickstart.yaml', 'its destinations, database and packages too')
      .example(
        '$0 doctor --fix tensorflow',
        'builds the native TensorFlow backend (about 210 MB from PyPI, once per machine)',
      ) as never,
  handler: async (args) => (await import('../actions/doctor.js')).doctor(args),
};
