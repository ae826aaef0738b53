import yargs, { type Argv, type CommandModule } from 'yargs';

import { nearestName } from '../core/nearest-name.js';
import { VERSION } from '../core/version.js';
import { globalOptions } from './global-options.js';
import { explainUse, UnknownCommandError, UnknownOptionError } from './report-error.js';

/**
 * Runs the command that the arguments name.
 * @throws UnknownCommandError for wrong use, with the nearest name; and whatever the command throws
 */
export async function parseCommandLine(args: readonly string[], commands: readonly CommandModule[]): Promise<void> {
  const parser = yargs([...args])
    .scriptName('resweep')
    .options(globalOptions)
    .version(VERSION)
    .help()
    .alias('help', 'h')
    .strict()
    .strictCommands(false)
    .wrap(Math.min(110, process.stdout.columns || 100))
    .exitProcess(false)
    .showHelpOnFail(false)
    .fail((message, error) => {
      // What a command threw passes through; what yargs itself found is wrong use.
      throw (error as Error | undefined) ?? explainUse(message);
    });
  for (const command of commands) parser.command(command);
  try {
    await parser.parseAsync();
  } catch (error) {
    if (!(error instanceof UnknownOptionError)) throw error;
    throw new UnknownCommandError(error.withNearest(await optionNames(parser)));
  }
}

/** Every option of the command that was parsed last, from its own help. */
async function optionNames(parser: Argv): Promise<string[]> {
  const help = await parser.getHelp();
  return [...new Set([...help.matchAll(/--([a-z][a-z-]+)/g)].map((match) => match[1] ?? ''))];
}

/** The error for a first word that is no command. */
export function unknownCommand(word: string, names: readonly string[]): UnknownCommandError {
  const nearest = nearestName(word, names);
  return new UnknownCommandError(
    `There is no command "${word}".${nearest === undefined ? '' : ` Did you mean "${nearest}"?`}`,
  );
}
