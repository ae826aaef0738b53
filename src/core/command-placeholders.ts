/**
 * What `${…}` may name in the words of a command, beside the names of its parameters. Filled in when a trial starts, by the
 * runner; checked when the configuration is read. `${envvar:NAME}` is a variable of the environment, `$${` a plain `${`.
 */
export const COMMAND_PLACEHOLDERS = {
  args: 'all parameters as --name=value, each a word of its own',
  args_no_hyphens: 'the same as name=value',
  args_no_boolean_flags: 'as args, but true is --name alone and false is left out',
  args_json: 'all parameters as one JSON text',
  args_json_file: 'path of a JSON file with all parameters',
  env: 'the program env, by which the next word is found on the PATH',
  interpreter: 'python, or python3 where there is no python',
  trial_number: 'number of the trial',
  trial_dir: 'folder of the trial',
  checkpoint_dir: 'folder for checkpoints of the trial',
  seed: 'a seed of the trial, the same when it is repeated',
  study8: 'identity of the study',
  project_root: 'root of the project',
} as const satisfies Readonly<Record<string, string>>;

/** Names in one word of a command, in order; `envvar:NAME` with its prefix. */
export function placeholdersIn(word: string): readonly string[] {
  return [...word.matchAll(/\$(\$\{)|\$\{([^}]*)\}/g)].flatMap((match) => (match[2] === undefined ? [] : [match[2]]));
}
