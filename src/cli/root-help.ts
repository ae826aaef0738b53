import type { CommandModule } from 'yargs';

import { globalOptions } from './global-options.js';

const EXAMPLES: readonly (readonly [string, string])[] = [
  ['resweep run configs/quickstart.yaml', 'start a sweep; the same command resumes it'],
  ['resweep status configs/quickstart.yaml', 'how it stands, and what is safe'],
  ['resweep best configs/quickstart.yaml --json', 'the best trial as JSON'],
];

const EXIT_CODES =
  'Exit codes: 0 good; 1 the work failed; 2 wrong use or configuration; 3 damage found; 130/143 stopped by signal, all saved.';

/** What `resweep --help` shows. Made from the declarations alone, so that it is there before the argument parser could be loaded. */
export function rootHelp(commands: readonly Pick<CommandModule, 'command' | 'describe'>[], columns: number): string {
  const width = Math.max(40, Math.min(columns, 110));
  const options = [
    ...Object.entries(globalOptions).map(([name, option]): [string, string] => [`    --${name}`, option.describe]),
    ['    --version', 'Show the version'] as const,
    ['-h, --help', 'Show help; after a command, its own'] as const,
  ];
  return [
    'resweep <command> [options]',
    '',
    'Hyper-parameter sweeps that survive.',
    '',
    'Commands:',
    ...table(
      commands.map(({ command, describe }) => [`resweep ${String(command)}`, String(describe)] as const),
      width,
    ),
    '',
    'Options:',
    ...table(options, width),
    '',
    'Examples:',
    ...table(EXAMPLES, width),
    '',
    ...wrapped(EXIT_CODES, width),
    '',
  ].join('\n');
}

/** Two columns, the second one wrapped. */
function table(rows: readonly (readonly [string, string])[], width: number): string[] {
  const left = Math.max(...rows.map(([term]) => term.length));
  return rows.flatMap(([term, text]) =>
    wrapped(text, Math.max(20, width - left - 4)).map(
      (line, index) => `  ${(index === 0 ? term : '').padEnd(left)}  ${line}`,
    ),
  );
}

function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
