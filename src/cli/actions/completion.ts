import type { CommandModule } from 'yargs';

import type { CompletionArguments } from '../arguments.js';
import { outlineOf } from '../command-outline.js';
import { bashCompletion } from '../completion/bash.js';
import { fishCompletion } from '../completion/fish.js';
import { zshCompletion } from '../completion/zsh.js';

const SCRIPTS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;

/** `resweep completion bash|zsh|fish`. */
export function completion({ shell }: CompletionArguments, commands: readonly CommandModule[]): void {
  process.stdout.write(SCRIPTS[shell](commands.map(outlineOf)));
}
