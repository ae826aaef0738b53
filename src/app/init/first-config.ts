/** What a first configuration is made of. */
export interface FirstConfig {
  readonly objective: 'tfjs' | 'command' | 'module';
  readonly study: string;
  readonly trials: number;
  /** How the file is called on the command line. */
  readonly configPath: string;
  /** Where editors find the schema, from the configuration. */
  readonly schemaPath: string;
  /** Data file, or objective file, as the configuration names it: relative to the project root. */
  readonly input: string;
  /** Program that runs the objective file of a command. */
  readonly interpreter: string;
}

const PLAIN_SPACE = `  learning_rate: { min: 1e-4, max: 1.0, log: true }
  layers: { min: 1, max: 6 } # whole numbers, because both bounds are
  optimizer: { values: [adam, sgd] }
  momentum: { min: 0.0, max: 0.99, when: { optimizer: sgd } } # takes part only with sgd`;

const NETWORK_SPACE = `  optimizer: { values: [adam, sgd] }
  learning_rate: { min: 1e-4, max: 1e-1, log: true }
  momentum: { min: 0.0, max: 0.99, when: { optimizer: sgd } } # takes part only with sgd
  layers: { min: 1, max: 3 } # whole numbers, because both bounds are
  units: { min: 16, max: 128, step: 16, repeat: layers } # units_0 … units_{layers-1}`;

function objectiveOf({ objective, input, interpreter }: FirstConfig): string {
  switch (objective) {
    case 'tfjs':
      return `objective:
  type: tfjs
  trainer: mlp-classifier # resweep schema lists the others
  data: { path: ${scalar(input)}, target: last, test: 0.2, validation: 0.2 }
  epochs: 10`;
    case 'command':
      return `objective:
  type: command
  # Any program. \${args} stands for --learning_rate=0.01 --layers=2 …; it prints JSON lines, see the file itself.
  command: [${interpreter}, ${scalar(input)}, '\${args}']`;
    case 'module':
      return `objective:
  type: module
  path: ${scalar(input)} # its default export is called once per trial`;
  }
}

/** A text as YAML, also within brackets: in quotes unless it can be nothing but this text. */
function scalar(text: string): string {
  const isPlain = /^[A-Za-z][\w./-]*$/.test(text) && !/^(true|false|null|yes|no|on|off|y|n)$/i.test(text);
  // Nothing in it is a variable of the environment.
  return isPlain ? text : JSON.stringify(text).replaceAll('${', () => '$${');
}

/** The text of a configuration, with comments. */
export function firstConfigText(config: FirstConfig): string {
  const { objective, study, trials, configPath, schemaPath } = config;
  const metric =
    objective === 'tfjs' ? '{ name: val_accuracy, goal: maximize }' : '{ name: loss, goal: minimize } # or maximize';
  return `# yaml-language-server: $schema=${schemaPath}
#
#   resweep run ${configPath}       starts the sweep; the same command goes on with it
#   resweep best ${configPath}      the best trial so far

study: ${scalar(study)} # name of the study: part of its identity
backbone: ${objective === 'tfjs' ? 'mlp' : 'model'} # the model family being tuned: a folder under outputs/

metric: ${metric}

trials: ${trials} # finished trials in all; raise it later, and the same command adds the rest
parallel: 2 # trials at the same time

sampler: { type: auto, seed: 42 } # or tpe, gp, cma-es, random, grid, …
pruner: { type: median, n_startup_trials: 5 } # ends trials that do worse than half of the others did; nop: none

parameters:
${objective === 'tfjs' ? NETWORK_SPACE : PLAIN_SPACE}

${objectiveOf(config)}

limits: { trial: 10m, failures: 5 } # a trial that takes longer fails; so many failures end the sweep

backup:
  destinations:
    # A copy after every trial, read back and compared. On another disk it survives this one: a mounted drive, s3, google-drive, github.
    - { name: backups, type: folder, path: backups }
`;
}
