import type { CategoricalChoice } from './distributions.js';
import type { JsonValue } from './json.js';
import type { StudyDirection } from './study-direction.js';

/**
 * A checked configuration: plain data (it survives `JSON.stringify`), defaults filled in, durations in milliseconds, sizes in
 * bytes, shares as fractions (1 % is 0.01). Keys are the YAML keys in camelCase. `config/load-config.ts` makes it from YAML.
 */
export interface SweepConfig {
  /** Name of the study. */
  readonly study: string;
  /** The model family this configuration tunes: the first of `backbones`; `configsOf` gives one configuration for each. */
  readonly backbone: string;
  readonly backbones: readonly string[];
  /** Label of the machine: as configured, else detected (`local`, `colab`, `kaggle`, `slurm`, …). */
  readonly environment: string;
  /** One for a single objective, several for a multi-objective study, in the order of the study's directions. */
  readonly metrics: readonly MetricConfig[];
  /** Total of finished trials that the study shall have; a resume counts those there. */
  readonly trials: number;
  /** Trials that run at the same time. */
  readonly parallel: number;
  readonly sampler: SamplerConfig;
  readonly pruner: ComponentConfig;
  /** In the order of the file. `declaredSpaceOf` turns them into distributions. */
  readonly parameters: readonly ParameterConfig[];
  /** Expressions over parameters, all of which must hold before a trial is spent. */
  readonly feasible: readonly string[];
  readonly objective: ObjectiveConfig;
  /** What tensor code runs on. */
  readonly backend: 'auto' | 'node' | 'wasm' | 'cpu';
  readonly limits: LimitsConfig;
  readonly retry: RetryConfig;
  readonly storage: StorageConfig;
  readonly checkpoint: CheckpointConfig;
  readonly backup: BackupConfig;
  readonly track: TrackConfig;
  readonly benchmark: BenchmarkConfig;
  readonly select: SelectConfig;
  readonly final: FinalConfig;
  readonly convert: ConvertConfig;
  /** By engine (`slurm`, `ray`, `kubernetes`): its options, keys in camelCase. */
  readonly launch: Readonly<Record<string, ComponentOptions>>;
}

/** Options of a component as its own schema gave them, keys in camelCase at the first level. */
export type ComponentOptions = Readonly<Record<string, JsonValue>>;

/** A pruner, or anything else that a registry knows by `type`. */
export interface ComponentConfig {
  readonly type: string;
  readonly options: ComponentOptions;
}

export interface SamplerConfig extends ComponentConfig {
  /** Seed of all randomness of the study. Absent: drawn when the study is created, and stored with it. */
  readonly seed?: number | undefined;
}

export interface MetricConfig {
  readonly name: string;
  readonly goal: StudyDirection;
  /** The sweep ends once a finished trial is at least this good. */
  readonly target?: number | undefined;
}

interface BaseParameterConfig {
  readonly name: string;
  /** All must hold for the parameter to take part. Empty: always active. */
  readonly when: readonly WhenConfig[];
  /** Name of an int parameter n: this one becomes name_0 … name_{n-1}. */
  readonly repeat?: string | undefined;
}

/** One condition of `when:` on an earlier parameter. */
export type WhenConfig =
  | { readonly parameter: string; readonly oneOf: readonly CategoricalChoice[] }
  | { readonly parameter: string; readonly atLeast: number }
  | { readonly parameter: string; readonly atMost: number };

export interface NumberParameterConfig extends BaseParameterConfig {
  readonly kind: 'float' | 'int';
  readonly min: number;
  readonly max: number;
  readonly log: boolean;
  readonly step?: number | undefined;
}

export interface CategoricalParameterConfig extends BaseParameterConfig {
  readonly kind: 'categorical';
  readonly values: readonly CategoricalChoice[];
}

/** Takes part in every trial with this value; not searched. */
export interface ConstantParameterConfig {
  readonly kind: 'constant';
  readonly name: string;
  readonly value: CategoricalChoice;
}

export type ParameterConfig = NumberParameterConfig | CategoricalParameterConfig | ConstantParameterConfig;

export type ObjectiveConfig = TfjsObjectiveConfig | CommandObjectiveConfig | ModuleObjectiveConfig;

interface BaseObjectiveConfig {
  /** What of the objective makes the study's identity: fixed settings other than their defaults, no folders, no limits. */
  readonly identity: Readonly<Record<string, JsonValue>>;
}

/** A built-in trainer. */
export interface TfjsObjectiveConfig extends BaseObjectiveConfig {
  readonly type: 'tfjs';
  readonly trainer: string;
  readonly data: DataConfig;
  /** Fixed settings of the trainer, by their YAML names (as parameters have them too), defaults filled in. A parameter of the same name wins. */
  readonly settings: Readonly<Record<string, JsonValue>>;
}

/** Data of a trainer. Keys of a trainer's own data schema beyond these are in `options`. */
export interface DataConfig {
  /** As written: relative to the project root, else beside the configuration. `resolveInputPath` finds it. */
  readonly path: string;
  /** Stands for the content in the study's identity where given. */
  readonly version?: string | undefined;
  /** Column to predict: `last`, `first`, a name of the header, or an index from 0. */
  readonly target: string | number;
  /** Share of the rows held out for the final test. */
  readonly test: number;
  /** Share of the rows that trials are judged on. */
  readonly validation: number;
  /** Whether a header line stands first (after `skipRows`); absent: found from the content. */
  readonly header?: boolean | undefined;
  /** Lines to leave out at the top. */
  readonly skipRows: number;
  readonly delimiter: string;
  /** Columns that are no features (names of the header, or indices from 0). */
  readonly ignore: readonly (string | number)[];
  /** Seed of the split. */
  readonly seed: number;
  readonly options: Readonly<Record<string, JsonValue>>;
}

/** Any program. */
export interface CommandObjectiveConfig extends BaseObjectiveConfig {
  readonly type: 'command';
  /** Program and arguments, with placeholders such as `${args}`; a text in YAML becomes a call of the shell. */
  readonly command: readonly string[];
  /** Variables of its environment; placeholders as in the command. */
  readonly env: Readonly<Record<string, string>>;
  /** Absent: the project root. */
  readonly cwd?: string | undefined;
  /** `wandb`: arguments as the agent of W&B writes them, and a Python module `wandb` that reports here. */
  readonly protocol?: 'resweep' | 'wandb' | undefined;
  /** Time between SIGTERM and SIGKILL. */
  readonly grace: number;
  /** Data that the command reads, for the study's identity. */
  readonly data?: { readonly path?: string | undefined; readonly version?: string | undefined } | undefined;
}

/** A function of a JavaScript or TypeScript module. */
export interface ModuleObjectiveConfig extends BaseObjectiveConfig {
  readonly type: 'module';
  readonly path: string;
  /** Name of the export; `default` where absent in YAML. */
  readonly export: string;
  readonly data?: { readonly path?: string | undefined; readonly version?: string | undefined } | undefined;
}

/** Durations in milliseconds, sizes in bytes; absent: no limit. */
export interface LimitsConfig {
  /** Of one trial. */
  readonly trial?: number | undefined;
  /** Of one run of the command: near its end no new trial is started. */
  readonly session?: number | undefined;
  /** Of all runs of the study together. */
  readonly study?: number | undefined;
  /** Failed trials after which the sweep ends. */
  readonly failures?: number | undefined;
  /** Finished trials without a better best one after which the sweep ends. */
  readonly noImprovement?: number | undefined;
  /** Resident size of one trial's processes. */
  readonly memory?: number | undefined;
  /** Free space of the disk below which no new trial is started. */
  readonly diskFree?: number | undefined;
  /** Time without any output of a command after which its trial is ended. */
  readonly idleOutput?: number | undefined;
  readonly cost?: { readonly perHour: number; readonly max: number } | undefined;
}

/** How often a trial is tried again. */
export interface RetryConfig {
  /** After its machine or process went away. */
  readonly interrupted: number;
  /** After it failed by itself. */
  readonly failed: number;
}

export interface StorageConfig {
  /** `file`: the study's own study.db. `memory`: keep nothing. `url`: a database server or another file. */
  readonly kind: 'file' | 'memory' | 'url';
  /** Where kind is `url`. May hold a password: never print it, use `LoadedConfig.redact`. */
  readonly url?: string | undefined;
  /** `normal` survives a killed process, `full` a power cut too. */
  readonly durability: 'normal' | 'full';
}

export interface CheckpointConfig {
  /** Time between two backups of a running trial's checkpoint. */
  readonly every: number;
}

export interface BackupConfig {
  readonly enabled: boolean;
  /** Whether `status.html` is kept beside each plain copy. */
  readonly statusPage: boolean;
  /** Folders under which a cloud drive is mounted, beyond those known. */
  readonly mounts: readonly string[];
  readonly destinations: readonly DestinationConfig[];
}

export interface DestinationConfig {
  readonly name: string;
  readonly type: string;
  /** What the kind itself needs: `path` of a folder, `bucket` of S3, …; keys in camelCase. */
  readonly options: ComponentOptions;
  readonly every: { readonly trials: number } | { readonly milliseconds: number };
  /** Order of restoring: lower first, equal ones as listed. */
  readonly priority: number;
  /** Prefix at the destination, so that several projects share it. */
  readonly project?: string | undefined;
  readonly encrypt?: { readonly passphraseEnv: string } | { readonly keyFile: string } | undefined;
  /** One for everything, or by what keeps a state. */
  readonly storageClass?: string | StorageClasses | undefined;
  readonly tags: Readonly<Record<string, string>>;
  readonly verify: { readonly every?: number | undefined; readonly deep: boolean };
  readonly keep: KeepConfig;
}

/** What keeps a saved state, the most wanted first. */
export const KEEP_TIERS = ['newest', 'days', 'weeks', 'months', 'milestones'] as const;
export type KeepTier = (typeof KEEP_TIERS)[number];

/** Class of storage by tier; a tier without one has that of the tier before it. */
export type StorageClasses = Readonly<Partial<Record<KeepTier, string>>>;

/** How many saved states of a target a destination keeps. */
export interface KeepConfig {
  /** Newest states, at least 1. */
  readonly newest: number;
  /** The last state of each of so many days that have one. */
  readonly days: number;
  /** Likewise weeks, from Monday. */
  readonly weeks: number;
  readonly months: number;
  /** Counts of finished trials; the first state that reached one is kept for good. */
  readonly milestones: readonly number[];
}

/** Experiment trackers; absent: not told. */
export interface TrackConfig {
  /** `dir` as written: relative to the project root. */
  readonly tensorboard?: { readonly dir: string } | undefined;
  readonly mlflow?: { readonly url: string; readonly experiment?: string | undefined } | undefined;
}

export interface BenchmarkConfig {
  /** How many of the best trials. */
  readonly top: number;
  readonly batchSizes: readonly number[];
  /** Calls before measuring, and calls measured. */
  readonly warmup: number;
  readonly repeats: number;
}

export interface SelectConfig {
  /** How far from the best value a trial may be: a share of it (`1%`) or in its own unit. */
  readonly within?: { readonly share: number } | { readonly absolute: number } | undefined;
  /** Among those, the one best in this. */
  readonly then?: { readonly goal: StudyDirection; readonly name: string } | undefined;
  /** Weighted choice instead: name of a metric or benchmark number → weight. */
  readonly weights?: Readonly<Record<string, number>> | undefined;
  /** Expressions over metrics and benchmark numbers, all of which must hold. */
  readonly constraints: readonly string[];
}

export interface FinalConfig {
  /** Absent: as the chosen trial. */
  readonly epochs?: number | undefined;
  /** How many seeds are trained. */
  readonly seeds: number;
  readonly data: 'train' | 'train+validation';
}

export interface ConvertConfig {
  readonly format: 'onnx' | 'tfjs';
  /** For command objectives. */
  readonly command?: readonly string[] | undefined;
  /** Largest difference of outputs that is accepted. */
  readonly tolerance: number;
}
