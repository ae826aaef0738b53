import type { CommandModule } from 'yargs';

import type { CompletionArguments, InitArguments } from '../arguments.js';

export const initCommand: CommandModule<object, InitArguments> = {
  command: 'init [config]',
  describe: 'Write a first configuration that runs as it is',
  builder: (argv) =>
    argv
      .positional('config', { type: 'string', default: 'sweep.yaml', describe: 'The file to write; never overwritten' })
      .option('objective', {
        choices: ['tfjs', 'command', 'module'] as const,
        describe: 'What a trial is: a built-in trainer, any program, a JavaScript function',
      })
      .option('study', { type: 'string', describe: 'Name of the study; default: that of the folder' })
      .option('trials', { type: 'number', describe: 'Trials in all; default: 20' })
      .option('yes', { type: 'boolean', alias: 'y', default: false, describe: 'Ask nothing' })
      .example('$0 init', 'asks a few questions')
      .example('$0 init --yes --objective command', 'a program as the objective, without questions') as never,
  handler: async (args) => (await import('../actions/init.js')).init(args),
};

/** @param all every command, read when the script is made */
export const completionCommandOf = (
  all: () => readonly CommandModule[],
): CommandModule<object, CompletionArguments> => ({
  command: 'completion <shell>',
  describe: 'A script that completes commands, options and files',
  builder: (argv) =>
    argv
      .positional('shell', {
        choices: ['bash', 'zsh', 'fish'] as const,
        demandOption: true,
        describe: 'For which shell',
      })
      .example('source <($0 completion bash)', 'for this shell; the same line in ~/.bashrc for every one')
      .example('$0 completion zsh > "${fpath[1]}/_resweep"', 'zsh')
      .example('$0 completion fish > ~/.config/fish/completions/resweep.fish', 'fish') as never,
  handler: async (args) => (await import('../actions/completion.js')).completion(args, all()),
});
