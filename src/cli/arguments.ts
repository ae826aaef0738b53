/** Options that every command has. */
export interface GlobalArguments {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
}

/** `CONFIG`, as a position or as `--config`, and `--set`. */
export interface ConfigArguments extends GlobalArguments {
  readonly config: string;
  readonly set: readonly string[];
}

/** `[TARGET]`: a configuration, a study folder, a database file or a storage URL. */
export interface TargetArguments extends GlobalArguments {
  readonly target: string | undefined;
  readonly study: string | undefined;
}

export interface RunArguments extends ConfigArguments {
  readonly trials: number | undefined;
  readonly timeout: string | undefined;
  readonly jobs: number | undefined;
  readonly fresh: boolean;
  readonly study: string | undefined;
  readonly storage: string | undefined;
  readonly requireRestore: boolean;
}

/** `benchmark`, `select`, `train`, `convert`, and all of them. */
export interface StageArguments extends ConfigArguments {
  readonly stage: 'benchmark' | 'select' | 'train' | 'convert' | 'pipeline';
  readonly force: boolean;
}

export interface WorkerArguments extends GlobalArguments {
  readonly target: string | undefined;
  readonly set: readonly string[];
  readonly study: string | undefined;
  readonly jobs: number | undefined;
  readonly timeout: string | undefined;
  readonly check: boolean;
}

export interface LaunchArguments extends GlobalArguments {
  readonly action: 'slurm' | 'ray' | 'kubernetes' | 'status' | 'stop' | 'logs';
  readonly target: string | undefined;
  readonly study: string | undefined;
  readonly set: readonly string[];
  readonly workers: number | undefined;
  readonly jobs: number | undefined;
  readonly partition: string | undefined;
  readonly gpus: string | undefined;
  readonly time: string | undefined;
  readonly out: string | undefined;
  readonly launch: string | undefined;
  readonly job: string | undefined;
  readonly now: boolean;
  readonly dryRun: boolean;
}

export interface StopArguments extends TargetArguments {
  readonly now: boolean;
}

export interface TrialsArguments extends TargetArguments {
  readonly format: 'table' | 'json' | 'csv';
  readonly state: readonly string[];
}

export interface ImportanceArguments extends TargetArguments {
  readonly evaluator: 'ped-anova' | 'fanova' | 'mdi';
  readonly params: string | undefined;
  readonly metric: string | undefined;
}

export interface DashboardArguments extends GlobalArguments {
  readonly places: readonly string[];
  readonly host: string;
  readonly port: number;
  readonly token: string | undefined;
  readonly allowHost: readonly string[];
}

export interface ReportArguments extends TargetArguments {
  readonly out: string | undefined;
  readonly svg: string | undefined;
  readonly png: string | undefined;
  readonly csv: string | undefined;
  readonly theme: 'light' | 'dark';
}

export interface LogsArguments extends TargetArguments {
  readonly number: number;
  readonly follow: boolean;
}

export interface SchemaArguments {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly out: string | undefined;
}

export interface BackupArguments extends GlobalArguments {
  readonly action: 'now' | 'list' | 'verify' | 'repair' | 'prune' | 'drill' | 'export';
  readonly config: string | undefined;
  readonly file: string | undefined;
  readonly set: readonly string[];
  readonly train: boolean;
  readonly report: string | undefined;
  readonly all: boolean;
  readonly destination: string | undefined;
  readonly dryRun: boolean;
  readonly repair: boolean;
  readonly deep: boolean;
  readonly sample: string | undefined;
}

export interface RestoreArguments extends GlobalArguments {
  readonly config: string | undefined;
  readonly set: readonly string[];
  readonly path: string | undefined;
  readonly at: string | undefined;
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly branch: string | undefined;
}

export interface FsckArguments extends GlobalArguments {
  readonly study: string;
  readonly set: readonly string[];
  readonly dryRun: boolean;
}

export interface CleanArguments extends ConfigArguments {
  readonly sameDisk: boolean;
  readonly path: string | undefined;
  readonly dryRun: boolean;
  readonly destination: string | undefined;
}

export interface AuthArguments extends GlobalArguments {
  readonly service: 'google';
  readonly scope: 'drive.file' | 'drive';
  readonly client: string | undefined;
  readonly browser: boolean;
}

export interface DoctorArguments extends GlobalArguments {
  readonly checks: readonly string[];
  readonly fix: boolean;
}

export interface EnqueueArguments extends TargetArguments {
  readonly assignments: readonly string[];
  readonly params: string | undefined;
  readonly skipIfExists: boolean;
}

export interface AskArguments extends TargetArguments {
  readonly searchSpace: string | undefined;
  readonly sampler: string | undefined;
  readonly direction: readonly string[] | undefined;
  readonly heartbeat: boolean;
}

export interface TellArguments extends TargetArguments {
  readonly number: number;
  readonly values: readonly string[] | undefined;
  readonly state: 'complete' | 'pruned' | 'fail' | undefined;
  readonly skipIfFinished: boolean;
  readonly heartbeat: boolean;
}

export interface CompareArguments extends GlobalArguments {
  readonly a: string;
  readonly b: string;
  readonly target: string | undefined;
  readonly study: readonly string[];
}

export interface CopyArguments extends GlobalArguments {
  readonly from: string;
  readonly to: string;
  readonly study: string | undefined;
  readonly name: string | undefined;
}

export interface ImportArguments extends GlobalArguments {
  readonly file: string;
  readonly config: string | undefined;
  readonly set: readonly string[];
  readonly storage: string | undefined;
  readonly study: string | undefined;
  readonly name: string | undefined;
  readonly out: string | undefined;
}

export interface InitArguments extends GlobalArguments {
  readonly config: string;
  readonly objective: 'tfjs' | 'command' | 'module' | undefined;
  readonly study: string | undefined;
  readonly trials: number | undefined;
  readonly yes: boolean;
}

export interface CompletionArguments extends GlobalArguments {
  readonly shell: 'bash' | 'zsh' | 'fish';
}
