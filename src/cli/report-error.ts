import { messageOf, ResweepError, UsageError } from '../core/errors.js';
import { stringifyJson } from '../core/json.js';
import { redactUrls } from '../core/storage-url.js';
import { nearestName } from '../core/nearest-name.js';

/** Wrong use of the command line, found by its parser. */
export class UnknownCommandError extends UsageError {
  constructor(message: string) {
    super(message, {
      code: 'COMMAND_LINE',
      hint: 'resweep --help lists the commands, resweep <command> --help its options.',
    });
  }
}

/** Options or arguments that the command does not have. */
export class UnknownOptionError extends UnknownCommandError {
  readonly #names: readonly string[];

  constructor(names: readonly string[]) {
    super(`There is no option or argument ${names.map((name) => `"${name}"`).join(', ')}.`);
    this.#names = names;
  }

  /** The message with the nearest of the names that there are. */
  withNearest(known: readonly string[]): string {
    const nearest = this.#names.flatMap((name) => nearestName(name, known) ?? []);
    return nearest.length === 0
      ? this.message
      : `${this.message} Did you mean ${nearest.map((name) => `"--${name}"`).join(', ')}?`;
  }
}

/** An argument that a command cannot do without. */
export class MissingArgumentError extends UnknownCommandError {}

/** The parser's complaint in our words. */
export function explainUse(message: string): UnknownCommandError {
  const unknown = /^Unknown arguments?: (.+)$/.exec(message)?.[1];
  if (unknown !== undefined) {
    const names = unknown.split(', ').filter((name) => name.length > 1);
    // The parser names an option with a hyphen a second time in camel case.
    const own = names.filter((name) => !names.some((other) => other !== name && camelCase(other) === name));
    return new UnknownOptionError(own);
  }
  if (message.startsWith('Not enough non-option arguments')) return new MissingArgumentError('An argument is missing.');
  return new UnknownCommandError(message);
}

function camelCase(name: string): string {
  return name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/**
 * Shows an error and gives the exit code that belongs to it. Known errors show what happened and the next step; unknown ones their
 * stack too, for a report.
 */
export function reportError(error: unknown, options: { json: boolean; verbose: boolean }): number {
  const known = error instanceof ResweepError;
  const exitCode = known ? error.exitCode : 1;
  const message = redactUrls(messageOf(error));
  const hint = known && error.hint !== undefined ? redactUrls(error.hint) : undefined;
  if (options.json) {
    process.stdout.write(
      `${stringifyJson({
        error: {
          code: known ? error.code : 'UNEXPECTED',
          message,
          hint: hint ?? null,
        },
      })}\n`,
    );
  }
  process.stderr.write(`Error: ${message}\n`);
  if (hint !== undefined) process.stderr.write(`Try: ${hint}\n`);
  if ((!known || options.verbose) && error instanceof Error) {
    if (error.stack !== undefined) process.stderr.write(`${redactUrls(error.stack).split('\n').slice(1).join('\n')}\n`);
    if (error.cause !== undefined) process.stderr.write(`Cause: ${redactUrls(messageOf(error.cause))}\n`);
  }
  return exitCode;
}
