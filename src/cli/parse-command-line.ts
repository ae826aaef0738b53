import yargs, { type Argv, type CommandModule } from 'yargs';

import { nearestName } from '../core/nearest-name.js';
import { VERSION } from '../core/version.js';
import { globalOptions } from './global-options.js';
import { explainUse, MissingArgumentError, UnknownCommandError, UnknownOptionError } from './report-error.js';

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
    .middleware((parsed) => {
      refuseNoNumbers(parsed, args);
    }, false)
    .fail((message, error) => {
      // What a command threw passes through; what yargs itself found is wrong use.
      throw (error as Error | undefined) ?? explainUse(message);
    });
  for (const command of commands) parser.command(command);
  try {
    await parser.parseAsync();
  } catch (error) {
    if (error instanceof MissingArgumentError) {
      const command = commands.find((one) => String(one.command).split(' ')[0] === args[0]);
      if (command !== undefined)
        throw new MissingArgumentError(`${error.message.replace(/\.$/, '')}: resweep ${String(command.command)}`);
    }
    if (!(error instanceof UnknownOptionError)) throw error;
    throw new UnknownCommandError(error.withNearest(await optionNames(parser)));
  }
}

/** @throws UnknownCommandError where a number is wanted and something else was typed, which the parser makes NaN */
function refuseNoNumbers(parsed: Readonly<Record<string, unknown>>, args: readonly string[]): void {
  const name = Object.keys(parsed).find((key) => Number.isNaN(parsed[key]));
  if (name === undefined) return;
  const names = name.length === 1 ? [`-${name}`] : [`--${name}`];
  const place = args.findIndex((word) => names.some((option) => word === option || word.startsWith(`${option}=`)));
  // One that stands for itself is the first word after the command.
  const isOption = place >= 0;
  const typed = isOption
    ? (/=(.*)$/s.exec(args[place] ?? '')?.[1] ?? args[place + 1])
    : args.slice(1).find((word) => !word.startsWith('-'));
  throw new UnknownCommandError(
    `${isOption ? (names[0] ?? name) : `<${name}>`} must be a number, but got ${JSON.stringify(typed ?? '')}.`,
  );
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
