import type { CommandModule } from 'yargs';

import type { ReportArguments } from '../arguments.js';
import { withTarget } from '../common-options.js';

export const reportCommand: CommandModule<object, ReportArguments> = {
  command: 'report [target]',
  describe: 'A page in one file, pictures and tables of a study',
  builder: (argv) =>
    withTarget(argv)
      .option('out', { type: 'string', describe: 'The page: one .html file that needs nothing else' })
      .option('svg', { type: 'string', describe: 'Folder for each figure as SVG' })
      .option('png', { type: 'string', describe: 'Folder for each figure as PNG (needs the package sharp)' })
      .option('csv', { type: 'string', describe: 'Folder for the numbers behind each figure' })
      .option('theme', {
        choices: ['light', 'dark'] as const,
        default: 'light' as const,
        describe: 'Of the pictures; the page follows its reader',
      })
      .example('$0 report configs/quickstart.yaml --out report.html', 'for a colleague; opens without a network')
      .example('$0 report study.db --svg figures --csv numbers', 'for a paper') as never,
  handler: async (args) => (await import('../actions/report.js')).report(args),
};
