import { builtEntry } from '../core/built-entry.js';
import type { CommonOptions } from './common-schema.js';
import type { LaunchRequest } from './launcher.js';
import { shellQuote, shellWords } from './shell-text.js';

/** Variable by which a worker gets the storage's URL: never as an argument, which everybody on its machine could read. */
export const STORAGE_VARIABLE = 'RESWEEP_STORAGE_URL';
/** Variable that names a file with that URL. */
export const STORAGE_FILE_VARIABLE = 'RESWEEP_STORAGE_URL_FILE';
/** Variable by which a worker knows the launch that it belongs to. */
export const LAUNCH_VARIABLE = 'RESWEEP_LAUNCH';

/** How often in a row a worker that was killed is started again where it was. */
const RESTARTS = 3;

/** How resweep is called: as configured, else by the files that run now. */
export function resweepCommand(options: Pick<CommonOptions, 'command'>): readonly string[] {
  return options.command ?? [process.execPath, builtEntry('../cli/main.js', import.meta.url)];
}

/** Arguments of a worker. */
export function workerArguments(request: LaunchRequest): readonly string[] {
  return ['worker', '--study', request.study, ...(request.jobs === undefined ? [] : ['--jobs', String(request.jobs)])];
}

/** What comes before everything: place, environment, what the user wants to be run first. */
export function prelude(request: LaunchRequest, folder: string): string[] {
  const { env, setup } = request.options as unknown as CommonOptions;
  return [
    `cd ${shellQuote(folder)} || exit 1`,
    `export ${LAUNCH_VARIABLE}=${shellQuote(request.id)}`,
    ...Object.entries(env).map(([name, value]) => `export ${name}=${shellQuote(value)}`),
    ...setup,
  ];
}

/**
 * Shell functions: `attend COMMAND…` runs a command and passes a signal on to it; `worker` does so with a worker, and starts one
 * that was killed again. `left` is set where this script was told to leave.
 */
export function attendFunctions(request: LaunchRequest): string[] {
  const options = request.options as unknown as CommonOptions;
  const worker = shellWords([...resweepCommand(options), ...workerArguments(request)]);
  return [
    'child= left= code=0',
    'leave() { left=yes; [ -z "$child" ] || kill -TERM "$child" 2>/dev/null; }',
    'trap leave TERM INT USR1 # a signal is passed on once; what comes twice within a second counts as one',
    'attend() {',
    '  code=143',
    '  [ -z "$left" ] || return "$code"',
    '  "$@" &',
    '  child=$!',
    '  wait "$child"; code=$?',
    '  # A signal ends the waiting, not the command.',
    '  while [ "$code" -gt 128 ] && kill -0 "$child" 2>/dev/null; do wait "$child"; code=$?; done',
    '  child=',
    '  return "$code"',
    '}',
    'worker() {',
    '  tries=0',
    `  while attend ${worker}; [ "$code" -gt 128 ] && [ -z "$left" ] && [ "$tries" -lt ${RESTARTS} ]; do`,
    '    tries=$((tries + 1))',
    '    echo "the worker was killed (exit code $code) and is started again ($tries)"',
    '  done',
    '  return "$code"',
    '}',
  ];
}

/** The stages after the sweep, each only where the one before went well; none before the budget is met. */
export function stagesLine(request: LaunchRequest): string {
  const command = resweepCommand(request.options);
  const check = [...command, 'worker', '--check', '--study', request.study];
  const stages = request.stages.map((stage) => [...command, stage, request.configPath]);
  return [check, ...stages].map((words) => `attend ${shellWords(words)}`).join(' && ');
}
