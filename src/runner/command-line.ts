import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

import { PARAMETER_NAME } from '../core/declared-space.js';
import type { ParamValue } from '../core/distributions.js';
import { UsageError } from '../core/errors.js';
import { stringifyJson } from '../core/json.js';
import type { TrialTask } from './objective.js';
import { wandbArguments, wandbConfig } from './wandb-protocol.js';

/** What the placeholders of a command stand for. */
export interface CommandContext {
  readonly task: TrialTask;
  readonly paramsFile: string;
  readonly study8: string;
  readonly projectRoot: string;
  readonly env: NodeJS.ProcessEnv;
  readonly protocol?: 'resweep' | 'wandb' | undefined;
}

/** A parameter as a word: numbers and words as they are, null as `null`. */
function text(value: ParamValue): string {
  return typeof value === 'string' ? value : stringifyJson(value);
}

/** The words of a command with every `${…}` filled in; one that stands for several words becomes several. */
export function expandCommand(words: readonly string[], context: CommandContext): string[] {
  return words.flatMap((word) => {
    const whole = /^\$\{(args|args_no_hyphens|args_no_boolean_flags)\}$/.exec(word)?.[1];
    return whole === undefined ? [expandWord(word, context)] : listOf(whole, context);
  });
}

/** One word, or a value of `env:`. A list within a word is joined by spaces, quoted for a shell. */
export function expandWord(word: string, context: CommandContext): string {
  return word.replace(
    /\$(\$\{)|\$\{([^}]*)\}/g,
    (_, escaped: string | undefined, name: string | undefined) => escaped ?? valueOf(name ?? '', context),
  );
}

function valueOf(name: string, context: CommandContext): string {
  const { task } = context;
  switch (name) {
    case 'args':
    case 'args_no_hyphens':
    case 'args_no_boolean_flags':
      return listOf(name, context).map(shellQuote).join(' ');
    case 'args_json':
      return stringifyJson(context.protocol === 'wandb' ? wandbConfig(task.params) : task.params);
    case 'args_json_file':
      return context.paramsFile;
    case 'env':
      return '/usr/bin/env';
    case 'interpreter':
      return isOnPath('python', context.env) ? 'python' : 'python3';
    case 'trial_number':
      return String(task.number);
    case 'trial_dir':
      return task.trialDir;
    case 'checkpoint_dir':
      return task.checkpointDir;
    case 'seed':
      return String(task.seed);
    case 'study8':
      return context.study8;
    case 'project_root':
      return context.projectRoot;
    default:
  }
  if (name.startsWith('envvar:')) return context.env[name.slice('envvar:'.length)] ?? '';
  const value = task.params[name];
  // A parameter whose condition does not hold takes no part: its place stays empty.
  if (value !== undefined) return text(value);
  if (PARAMETER_NAME.test(name)) return '';
  throw new UsageError(`The command holds the unknown placeholder \${${name}}.`);
}

function listOf(kind: string, { task: { params }, protocol }: CommandContext): string[] {
  if (protocol === 'wandb') return wandbArguments(kind, params);
  return Object.entries(params).flatMap(([name, value]) => {
    if (kind === 'args_no_hyphens') return [`${name}=${text(value)}`];
    if (kind === 'args_no_boolean_flags' && typeof value === 'boolean') return value ? [`--${name}`] : [];
    return [`--${name}=${text(value)}`];
  });
}

function isOnPath(program: string, env: NodeJS.ProcessEnv): boolean {
  return (env['PATH'] ?? '').split(delimiter).some((folder) => folder !== '' && existsSync(join(folder, program)));
}

function shellQuote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
