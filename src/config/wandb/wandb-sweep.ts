import { stringify } from 'yaml';

import { nearestName } from '../../core/nearest-name.js';
import { oneOf, unknownKey } from '../explain-issue.js';
import { isRecord, type Complain, type IssueDetails } from '../schema-readers.js';
import { convertParameters, type ConvertedParameter } from './wandb-parameters.js';

/*
 * W&B sweep files as configurations. Source: the JSON Schema of W&B's `sweeps` package and the documentation of sweep
 * configurations. What has no equal is named, in an error where the sweep would be another one, else in a warning.
 */

type Path = readonly (string | number)[];
type Raw = Readonly<Record<string, unknown>>;

export interface WandbProblem extends IssueDetails {
  readonly path: Path;
}

export interface ConvertedSweep {
  /** The configuration, as YAML. */
  readonly text: string;
  readonly problems: readonly WandbProblem[];
  /** Sentences about what is not the same. */
  readonly warnings: readonly string[];
  /** Path in the sweep file of what stands at a path of the configuration. */
  readonly pathOf: (path: Path) => Path;
}

/** Where a sweep file lies, and how its words are looked at. */
export interface WandbSource {
  /** File name without its ending: names a sweep that has no name. */
  readonly baseName: string;
  /** Whether the number at a path is written with a point or an exponent. */
  readonly isFloat: (path: Path) => boolean;
  /** Working directory for a program that lies beside the file, not below the project root. */
  readonly workingFolder: (program: string) => string | undefined;
  /** Whether the command line says what is optimised. */
  readonly isMetricGiven: boolean;
}

/** Every key of a sweep file. */
export const WANDB_KEYS = [
  'apiVersion',
  'kind',
  'controller',
  'description',
  'program',
  'job',
  'image_uri',
  'entity',
  'project',
  'name',
  'method',
  'command',
  'run_cap',
  'metric',
  'metrics',
  'scheduler',
  'early_terminate',
  'parameters',
];
const METHODS = ['bayes', 'random', 'grid', 'custom'];
const METRIC_KEYS = ['name', 'goal', 'target', 'impute', 'impute_while_running'];
const TERMINATE_KEYS = ['type', 'min_iter', 'max_iter', 's', 'eta', 'strict'];
const DEFAULT_COMMAND = ['${env}', '${interpreter}', '${program}', '${args}'];

/** Trials of a sweep that W&B would never end. */
const DEFAULT_TRIALS = 100;

/** Whether a document is a W&B sweep file: it names a method and parameters, and no study. */
export function isWandbSweep(value: unknown): value is Raw {
  return (
    isRecord(value) &&
    value['study'] === undefined &&
    value['method'] !== undefined &&
    value['parameters'] !== undefined
  );
}

/** Turns a sweep file into a configuration; never throws for what a user wrote. */
export function convertWandbSweep(value: Raw, source: WandbSource): ConvertedSweep {
  const problems: WandbProblem[] = [];
  const warnings: string[] = [];
  const complain: Complain = (details, path = []) => problems.push({ ...details, path });
  const warn = (text: string): void => void warnings.push(text);
  for (const key of Object.keys(value)) {
    if (WANDB_KEYS.includes(key)) continue;
    const { path, ...details } = unknownKey(key, WANDB_KEYS, []);
    complain(details, path);
  }
  const parameters = readParameters(value, source, complain, warn);
  const name = typeof value['name'] === 'string' && value['name'] !== '' ? value['name'] : source.baseName;
  const { metrics, keys: metricPaths } = readMetrics(value, source, complain, warn);
  const terminate = readEarlyTerminate(value['early_terminate'], complain, warn);
  const sampler = readMethod(value, complain, warn);
  const document = {
    study: name,
    backbone: backboneOf(value, name),
    ...(metrics.length === 1 ? { metric: metrics[0] } : { metrics }),
    trials: readTrials(value, sampler, parameters, complain, warn),
    sampler,
    pruner: terminate,
    parameters: Object.fromEntries(parameters.map(({ name: key, parameter }) => [key, parameter])),
    objective: readObjective(value, source, complain),
  };
  return {
    text: `# Made from a W&B sweep file.\n${stringify(document, { lineWidth: 120 })}`,
    problems,
    warnings,
    pathOf: (path) => pathInSweep(path, parameters, metricPaths),
  };
}

function readParameters(
  value: Raw,
  source: WandbSource,
  complain: Complain,
  warn: (text: string) => void,
): ConvertedParameter[] {
  const { parameters } = value;
  if (!isRecord(parameters) || Object.keys(parameters).length === 0) {
    complain({ allowed: 'a mapping of at least one name to a parameter' }, ['parameters']);
    return [];
  }
  return convertParameters(
    parameters,
    (path) => source.isFloat(['parameters', ...path]),
    (details, path = []) => {
      complain(details, ['parameters', ...path]);
    },
    warn,
  );
}

/** The model family: the program's name, else the study's, of the letters that a folder may have. */
function backboneOf(value: Raw, name: string): string {
  const program = typeof value['program'] === 'string' ? (value['program'].split(/[/\\]/).at(-1) ?? '') : '';
  const word = program.replace(/\.\w+$/, '') || name;
  return word.replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^[.-]+/, '') || 'sweep';
}

function readMetrics(
  value: Raw,
  source: WandbSource,
  complain: Complain,
  warn: (text: string) => void,
): { metrics: Raw[]; keys: readonly Path[] } {
  const { metric, metrics } = value;
  if (metric !== undefined && metrics !== undefined) {
    complain({ aboutKey: true, text: 'stands beside metric; write one of the two.' }, ['metrics']);
  }
  const list: readonly (readonly [unknown, Path])[] = Array.isArray(metrics)
    ? metrics.map((entry: unknown, index) => [entry, ['metrics', index]] as const)
    : [[metric, ['metric']]];
  if (metric === undefined && metrics === undefined) {
    // W&B takes such a file for method grid and random, and then says of no run that it is the best.
    if (source.isMetricGiven) return { metrics: [{ goal: 'minimize' }], keys: [['metric']] };
    complain(
      {
        text: 'is missing: a trial needs a result. Write metric: {name, goal}, or call it with --set metric.name=NAME.',
      },
      ['metric'],
    );
    return { metrics: [], keys: [] };
  }
  const read = list.map(([entry, path]) =>
    readMetric(entry, (details, below = []) => complain(details, [...path, ...below]), warn),
  );
  return { metrics: read, keys: list.map(([, path]) => path) };
}

function readMetric(value: unknown, complain: Complain, warn: (text: string) => void): Raw {
  if (!isRecord(value)) {
    complain({ allowed: '{name: …, goal: minimize or maximize}' });
    return {};
  }
  for (const key of Object.keys(value)) {
    if (METRIC_KEYS.includes(key)) continue;
    const { path, ...details } = unknownKey(key, METRIC_KEYS, []);
    complain(details, path);
  }
  const { name, goal = 'minimize', target, impute, impute_while_running: whileRunning } = value;
  if (typeof name !== 'string' || name === '')
    complain({ allowed: 'the name under which the program logs it' }, ['name']);
  if (goal !== 'minimize' && goal !== 'maximize') {
    const nearest = typeof goal === 'string' ? nearestName(goal, ['minimize', 'maximize']) : undefined;
    complain({ allowed: 'one of minimize, maximize', nearest }, ['goal']);
  }
  if (target !== undefined && typeof target !== 'number') complain({ allowed: 'a number' }, ['target']);
  if (impute !== undefined || whileRunning !== undefined) {
    warn('metric.impute has no equal: a failed trial stays failed, and the sampler does without it.');
  }
  return { name, goal, ...(target === undefined ? {} : { target }) };
}

function readMethod(value: Raw, complain: Complain, warn: (text: string) => void): string {
  const { method, scheduler } = value;
  switch (method) {
    case 'random':
    case 'grid':
      return method;
    case 'bayes':
      return 'auto';
    case 'custom':
      if (isRecord(scheduler) && scheduler['engine'] === 'optuna') {
        warn('scheduler optuna is the sampler auto here; its own settings (source, optimizer) are not read.');
        return 'auto';
      }
      complain({ text: 'has no equal: method custom is read only with scheduler: {engine: optuna}.' }, ['method']);
      return 'auto';
    default: {
      const nearest = typeof method === 'string' ? nearestName(method, METHODS) : undefined;
      complain({ allowed: oneOf(METHODS), nearest }, ['method']);
      return 'auto';
    }
  }
}

/** W&B's hyperband is one bracket: at each rung a run must be in the best 1/eta, as in asynchronous successive halving. */
function readEarlyTerminate(value: unknown, complain: Complain, warn: (text: string) => void): unknown {
  if (value === undefined || value === null) return 'nop';
  const about: Complain = (details, path = []) => {
    complain(details, ['early_terminate', ...path]);
  };
  if (!isRecord(value)) {
    about({ allowed: '{type: hyperband, min_iter: …} or {type: hyperband, max_iter: …, s: …}' });
    return 'nop';
  }
  for (const key of Object.keys(value)) {
    if (TERMINATE_KEYS.includes(key)) continue;
    const { path, ...details } = unknownKey(key, TERMINATE_KEYS, []);
    about(details, path);
  }
  const { type, min_iter: minIter, max_iter: maxIter, s, eta = 3, strict } = value;
  if (strict === true)
    warn('early_terminate.strict has no equal: a trial is judged once at each rung, by its value there.');
  if (type !== 'hyperband')
    about({ allowed: 'hyperband', nearest: nearestName(String(type), ['hyperband']) }, ['type']);
  if (typeof eta !== 'number' || eta <= 1) about({ allowed: 'a number above 1' }, ['eta']);
  else if (wholeEta(eta) !== eta)
    warn(`early_terminate.eta is a whole number here: ${wholeEta(eta)} in place of ${eta}.`);
  const isCount = (number: unknown): number is number => Number.isInteger(number) && (number as number) >= 1;
  if (isCount(minIter)) return halving(minIter, eta);
  if (minIter !== undefined) about({ allowed: 'a whole number, 1 or more' }, ['min_iter']);
  else if (!isCount(maxIter) || !isCount(s)) {
    about({ text: 'needs min_iter, or max_iter and s (whole numbers, 1 or more).' });
  } else return halving(Math.max(1, Math.floor(maxIter / Number(eta) ** s + 1e-9)), eta);
  return 'nop';
}

function wholeEta(eta: number): number {
  return Math.max(2, Math.round(eta));
}

function halving(minResource: number, eta: unknown): Raw {
  return {
    type: 'successive-halving',
    min_resource: minResource,
    reduction_factor: wholeEta(Number(eta)),
  };
}

function readTrials(
  value: Raw,
  sampler: string,
  parameters: readonly ConvertedParameter[],
  complain: Complain,
  warn: (text: string) => void,
): number {
  const { run_cap: runCap } = value;
  if (Number.isInteger(runCap) && (runCap as number) >= 1) return runCap as number;
  if (runCap !== undefined) complain({ allowed: 'a whole number, 1 or more' }, ['run_cap']);
  if (sampler === 'grid') {
    const product = parameters.reduce((count, { name, parameter, path }) => {
      const points = gridPoints(parameter);
      if (points === undefined) {
        complain({ text: `method grid needs a list of values for ${name}, or a whole range.` }, [
          'parameters',
          ...path,
        ]);
      }
      return count * (points ?? 1);
    }, 1);
    return product;
  }
  if (runCap === undefined) {
    warn(
      `run_cap is not set: W&B would go on for ever, here the sweep ends after ${DEFAULT_TRIALS} trials (--trials N).`,
    );
  }
  return DEFAULT_TRIALS;
}

/** How many values a grid has of a parameter; undefined where it has no grid. */
function gridPoints(parameter: Raw): number | undefined {
  const { values, min, max, step, type, log } = parameter;
  if (Array.isArray(values)) return values.length;
  if (typeof min !== 'number' || typeof max !== 'number') return 1;
  if (typeof step === 'number') return Math.round((max - min) / step) + 1;
  return type === 'int' && log !== true ? max - min + 1 : undefined;
}

function readObjective(value: Raw, source: WandbSource, complain: Complain): Raw {
  const { program, command } = value;
  if (value['job'] !== undefined || value['image_uri'] !== undefined) {
    const key = value['job'] === undefined ? 'image_uri' : 'job';
    complain({ aboutKey: true, text: 'has no equal: it names what W&B Launch runs; name the program instead.' }, [key]);
  }
  if (program !== undefined && typeof program !== 'string') complain({ allowed: 'the path of a program' }, ['program']);
  if (command !== undefined && !Array.isArray(command)) {
    complain({ allowed: 'a list such as ["${env}", python, "${program}", "${args}"]' }, ['command']);
  }
  const words = Array.isArray(command) ? command.map(String) : DEFAULT_COMMAND;
  if (typeof program !== 'string' && words.some((word) => word.includes('${program}'))) {
    complain({ text: 'is missing: the command runs ${program}.' }, ['program']);
  }
  const path = typeof program === 'string' ? program : '';
  const cwd = path === '' ? undefined : source.workingFolder(path);
  return {
    type: 'command',
    protocol: 'wandb',
    command: words.map((word) => word.replaceAll('${program}', path)),
    ...(cwd === undefined ? {} : { cwd }),
  };
}

function pathInSweep(path: Path, parameters: readonly ConvertedParameter[], metricPaths: readonly Path[]): Path {
  const [section, second, ...rest] = path;
  switch (section) {
    case 'study':
      return ['name'];
    case 'trials':
      return ['run_cap'];
    case 'sampler':
      return ['method'];
    case 'pruner':
      return ['early_terminate'];
    case 'objective':
      return second === 'command' ? ['command', ...rest] : ['program'];
    case 'metric':
      return [...(metricPaths[0] ?? []), ...(second === undefined ? [] : [second]), ...rest];
    case 'parameters': {
      const found = parameters.find(({ name }) => name === second);
      return ['parameters', ...(found?.path ?? []), ...rest];
    }
    default:
      return path;
  }
}
