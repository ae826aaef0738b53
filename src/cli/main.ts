#!/usr/bin/env node
import { VERSION } from '../core/version.js';
import { commands } from './commands/index.js';
import { reportError } from './report-error.js';
import { rootHelp } from './root-help.js';

// Whoever reads our output may close it early (`| head`): a sweep goes on all the same.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

// Warnings of ours read like everything else we say; those of Node and of packages stay as they are.
const printers = process.listeners('warning');
process.removeAllListeners('warning');
process.on('warning', (warning) => {
  // NODE_NO_WARNINGS leaves nobody to print.
  if (printers.length > 0 && warning.name === 'ResweepWarning') process.stderr.write(`Note: ${warning.message}\n`);
  else for (const print of printers) print(warning);
});

async function main(args: readonly string[]): Promise<void> {
  const [first] = args;
  const isForWhole = args.every((arg) => arg.startsWith('-'));
  if (first === undefined || first === 'help' || (isForWhole && args.some((arg) => arg === '--help' || arg === '-h'))) {
    process.stdout.write(rootHelp(commands, process.stdout.columns || 100));
    process.exitCode = first === undefined ? 2 : 0;
  } else if (isForWhole && args.includes('--version')) {
    process.stdout.write(`${VERSION}\n`);
  } else {
    const { parseCommandLine, unknownCommand } = await import('./parse-command-line.js');
    const names = commands.map((command) => String(command.command).split(' ')[0] ?? '');
    if (!first.startsWith('-') && !names.includes(first)) throw unknownCommand(first, names);
    await parseCommandLine(args, commands);
    if (isForWhole) {
      process.stderr.write(rootHelp(commands, process.stderr.columns || 100));
      process.exitCode = 2;
    }
  }
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  process.exitCode = reportError(error, {
    json: process.argv.includes('--json'),
    verbose: process.argv.includes('--verbose'),
  });
}
