import type { CommandModule } from 'yargs';

import type { AskArguments, EnqueueArguments, TellArguments } from '../arguments.js';
import { withTarget } from '../common-options.js';

export const enqueueCommand: CommandModule<object, EnqueueArguments> = {
  command: 'enqueue <target> [assignments..]',
  describe: 'Queue a trial with parameters of your choice',
  builder: (argv) =>
    withTarget(argv)
      .positional('assignments', { type: 'string', array: true, describe: 'x=1 kind=a; what is not named is sampled' })
      .option('params', { type: 'string', describe: 'The same as JSON: \'{"x": 1, "kind": "a"}\'' })
      .option('skip-if-exists', {
        type: 'boolean',
        default: false,
        describe: 'Do nothing where a trial with just these parameters exists',
      })
      .example('$0 enqueue configs/quickstart.yaml x=1 y=2', 'the next trial that starts takes them')
      .example('$0 enqueue study.db --params \'{"x": 1}\'', 'as JSON') as never,
  handler: async (args) => (await import('../actions/enqueue.js')).enqueue(args),
};

export const askCommand: CommandModule<object, AskArguments> = {
  command: 'ask [target]',
  describe: 'Take the next trial, to be run by a program of any language',
  builder: (argv) =>
    withTarget(argv)
      .option('search-space', {
        type: 'string',
        describe: "Parameters in Optuna's JSON form, for a study without a configuration",
      })
      .option('sampler', { type: 'string', describe: 'Sampler in place of the configured one (without: tpe)' })
      .option('direction', {
        type: 'string',
        array: true,
        nargs: 1,
        describe: 'Begin the study where there is none: minimize or maximize, once per objective',
      })
      .option('heartbeat', {
        type: 'boolean',
        default: false,
        describe: 'Have it given up and queued again unless `tell N --heartbeat` comes every minute',
      })
      .example('$0 ask configs/quickstart.yaml', '{"study": "quickstart", "number": 3, "params": {"x": 0.5}}')
      .example(
        '$0 ask sqlite:///s.db --study s --direction minimize --search-space \'{"x": {"name": "FloatDistribution", "attributes": {"low": 0, "high": 1}}}\'',
        'as `optuna ask`',
      ) as never,
  handler: async (args) => (await import('../actions/ask-tell.js')).ask(args),
};

export const tellCommand: CommandModule<object, TellArguments> = {
  command: 'tell <number> [target]',
  describe: 'Record the result of a trial that was asked for',
  builder: (argv) =>
    withTarget(argv.positional('number', { type: 'number', demandOption: true, describe: 'Number of the trial' }))
      .option('values', {
        type: 'string',
        array: true,
        nargs: 1,
        describe: 'Value, once per objective: --values 0.93; negative: --values=-1; also nan, inf',
      })
      .option('state', {
        choices: ['complete', 'pruned', 'fail'] as const,
        describe: 'How it ended; without: complete, and fail where a value is nan',
      })
      .option('skip-if-finished', {
        type: 'boolean',
        default: false,
        describe: 'No error where the trial is finished already; its first result stays',
      })
      .option('heartbeat', { type: 'boolean', default: false, describe: 'Only say that it is still running' })
      .example('$0 tell 3 configs/quickstart.yaml --values 0.93', 'complete')
      .example('$0 tell 3 configs/quickstart.yaml --state fail', 'failed') as never,
  handler: async (args) => (await import('../actions/ask-tell.js')).tell(args),
};
