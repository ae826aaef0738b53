import type { CommandModule } from 'yargs';

import type {
  ConfigArguments,
  ImportanceArguments,
  LogsArguments,
  SchemaArguments,
  TargetArguments,
  TrialsArguments,
} from '../arguments.js';
import { withConfig, withTarget } from '../common-options.js';

export const statusCommand: CommandModule<object, TargetArguments> = {
  command: 'status [target]',
  describe: 'How a sweep stands, and what is safe',
  builder: (argv) =>
    withTarget(argv)
      .example('$0 status', 'the study last worked on')
      .example('$0 status configs/quickstart.yaml --json', 'as JSON') as never,
  handler: async (args) => (await import('../actions/status.js')).status(args),
};

export const trialsCommand: CommandModule<object, TrialsArguments> = {
  command: 'trials [target]',
  describe: 'List the trials',
  builder: (argv) =>
    withTarget(argv)
      .option('format', {
        choices: ['table', 'json', 'csv'] as const,
        default: 'table' as const,
        describe: 'How to print them',
      })
      .option('state', {
        type: 'string',
        array: true,
        default: [] as string[],
        describe: 'Only these: complete, pruned, fail, interrupted, running, waiting',
      })
      .example('$0 trials configs/quickstart.yaml --state complete', 'the completed ones')
      .example('$0 trials study.db --format csv > trials.csv', 'for a spreadsheet') as never,
  handler: async (args) => (await import('../actions/trials.js')).trials(args),
};

export const bestCommand: CommandModule<object, TargetArguments> = {
  command: 'best [target]',
  describe: 'The best trial, or the Pareto front',
  builder: (argv) => withTarget(argv).example('$0 best configs/quickstart.yaml', 'value and parameters') as never,
  handler: async (args) => (await import('../actions/best.js')).best(args),
};

export const importanceCommand: CommandModule<object, ImportanceArguments> = {
  command: 'importance [target]',
  describe: 'Which parameters matter',
  builder: (argv) =>
    withTarget(argv)
      .option('evaluator', {
        choices: ['ped-anova', 'fanova', 'mdi'] as const,
        default: 'ped-anova' as const,
        describe: 'ped-anova: for reaching the best tenth; fanova, mdi: for the value, by a random forest',
      })
      .option('params', { type: 'string', describe: 'Only these: lr,layers' })
      .option('metric', { type: 'string', describe: 'Which of several objectives, by name or number' })
      .example('$0 importance configs/quickstart.yaml', 'shares of 1, the largest first')
      .example('$0 importance study.db --evaluator fanova --json', 'by another method, as JSON') as never,
  handler: async (args) => (await import('../actions/importance.js')).importance(args),
};

export const logsCommand: CommandModule<object, LogsArguments> = {
  command: 'logs <number> [target]',
  describe: "A trial's output",
  builder: (argv) =>
    withTarget(argv.positional('number', { type: 'number', demandOption: true, describe: 'Number of the trial' }))
      .option('follow', { type: 'boolean', alias: 'f', default: false, describe: 'Go on showing what is written' })
      .example('$0 logs 3 configs/quickstart.yaml', "trial 3's log")
      .example('$0 logs 3 --follow', 'while it runs') as never,
  handler: async (args) => (await import('../actions/logs.js')).logs(args),
};

export const hashCommand: CommandModule<object, ConfigArguments> = {
  command: 'hash <config>',
  describe: 'The identity of the study that a configuration means, and what it is made of',
  builder: (argv) =>
    withConfig(argv).example('$0 hash configs/quickstart.yaml', 'study8 and the text that was hashed') as never,
  handler: async (args) => (await import('../actions/config.js')).hash(args),
};

export const validateCommand: CommandModule<object, ConfigArguments> = {
  command: 'validate <config>',
  describe: 'Check a configuration without running it',
  builder: (argv) =>
    withConfig(argv).example('$0 validate configs/quickstart.yaml', 'every problem at once, with its line') as never,
  handler: async (args) => (await import('../actions/config.js')).validate(args),
};

export const schemaCommand: CommandModule<object, SchemaArguments> = {
  command: 'schema',
  describe: 'JSON Schema of configurations, for editors',
  builder: (argv) =>
    argv
      .option('out', { type: 'string', describe: 'Write it to a file' })
      .example('$0 schema --out configs/resweep.schema.json', 'the file that shipped configurations name') as never,
  handler: async (args) => (await import('../actions/config.js')).schema(args),
};
