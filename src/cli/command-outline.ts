import type { Argv, CommandModule } from 'yargs';

import { globalOptions } from './global-options.js';

/** What can be typed after a command. */
export interface CommandOutline {
  readonly name: string;
  readonly describe: string;
  readonly options: readonly OptionOutline[];
  readonly positionals: readonly PositionalOutline[];
}

export interface OptionOutline {
  readonly name: string;
  readonly alias: string | undefined;
  readonly describe: string;
  readonly choices: readonly string[];
  readonly takesValue: boolean;
}

export interface PositionalOutline {
  readonly name: string;
  readonly choices: readonly string[];
  /** What kind of file it may be. */
  readonly files: 'configuration' | 'study' | 'any' | 'none';
}

interface Declaration {
  readonly type?: string;
  readonly alias?: string;
  readonly describe?: string;
  readonly choices?: readonly (string | number)[];
}

/** Reads a command's declaration, without running the parser. */
export function outlineOf(command: CommandModule): CommandOutline {
  const declared = new Map<string, Declaration>();
  const positional = new Map<string, Declaration>();
  const recorder: object = new Proxy(
    {},
    {
      get: (_, method) => (name: unknown, declaration: Declaration) => {
        if (typeof name === 'string' && method === 'option') declared.set(name, declaration);
        if (typeof name === 'string' && method === 'positional') positional.set(name, declaration);
        return recorder;
      },
    },
  );
  if (typeof command.builder === 'function') void command.builder(recorder as Argv);
  const [name = '', ...words] = String(command.command).split(' ');
  const options = [...declared, ...Object.entries(globalOptions as Readonly<Record<string, Declaration>>)];
  return {
    name,
    describe: String(command.describe),
    options: options.map(([option, { type, alias, describe = '', choices = [] }]) => ({
      name: option,
      alias,
      describe,
      choices: choices.map(String),
      takesValue: type !== 'boolean',
    })),
    positionals: words.map((word) => {
      const positionalName = word.replaceAll(/[<>[\].]/g, '');
      const choices = (positional.get(positionalName)?.choices ?? []).map(String);
      return { name: positionalName, choices, files: choices.length > 0 ? 'none' : filesFor(positionalName) };
    }),
  };
}

function filesFor(positional: string): PositionalOutline['files'] {
  switch (positional) {
    case 'config':
    case 'checks':
      return 'configuration';
    case 'target':
    case 'study':
      return 'study';
    case 'number':
      return 'none';
    default:
      return 'any';
  }
}
