import type * as z from 'zod';

import type { ComponentOptions } from '../core/sweep-config.js';

/** Stages that may follow a sweep, in their order. */
export const LAUNCH_STAGES = ['benchmark', 'select', 'train', 'convert'] as const;
export type LaunchStage = (typeof LAUNCH_STAGES)[number];

/** What is to be started for one study. */
export interface LaunchRequest {
  /** Names this launch, unique within the study. */
  readonly id: string;
  readonly study: string;
  readonly study8: string;
  /** Folder that holds data, code and configuration; absolute. */
  readonly projectRoot: string;
  /** Relative to the project root: where the stages find their configuration. */
  readonly configPath: string;
  readonly workers: number;
  /** Trials at the same time in each worker; undefined: as the study says. */
  readonly jobs: number | undefined;
  readonly stages: readonly LaunchStage[];
  readonly storage: StorageAccess;
  /** Of this engine, as its schema checked them. */
  readonly options: ComponentOptions;
}

/** The study's database, as workers are told of it. */
export interface StorageAccess {
  readonly url: string;
  /** The same without its password. */
  readonly shown: string;
  readonly isSecret: boolean;
}

/** Something that an engine is given, for people to read. */
export interface LaunchFile {
  readonly name: string;
  readonly text: string;
}

/** What status and stop need later, from any machine; kept in the study. Holds no secret. */
export interface LaunchRecord {
  readonly id: string;
  readonly engine: string;
  readonly study8: string;
  readonly workers: number;
  readonly stages: readonly LaunchStage[];
  /** ISO time. */
  readonly at: string;
  /** Where its engine is reached (an address, a namespace), and where logs lie. */
  readonly where: Readonly<Record<string, string>>;
  /** ISO time from which on its workers leave. */
  readonly stoppedAt?: string | undefined;
  /** Stopped so that running trials are queued again. */
  readonly now?: boolean | undefined;
}

/** One job of a launch, as its engine sees it at present. */
export interface LaunchedJob {
  /** `worker 3`, `stages`. */
  readonly name: string;
  /** The engine's own id: for people, never an identity. */
  readonly id: string;
  readonly state: 'waiting' | 'running' | 'done' | 'failed' | 'stopped';
  /** The engine's own word, and what it says beside. */
  readonly detail: string;
  /** Machine that it runs on. */
  readonly node?: string | undefined;
}

/** The result of handing a launch over. */
export interface Submitted {
  /** `false` where nothing was started, since the engine is not reached from here. */
  readonly started: boolean;
  /** One sentence for people. */
  readonly message: string;
}

/** An engine that starts, places and ends workers. It never says which trial is whose: the study's database does. */
export interface Launcher {
  readonly type: string;
  readonly summary: string;
  /** Of its section under `launch:`. */
  readonly schema: z.ZodObject;
  /** Where it will be found again, for the record. */
  where(request: LaunchRequest): Readonly<Record<string, string>>;
  /** What would be handed over. @throws UsageError for options that do not fit */
  draft(request: LaunchRequest): readonly LaunchFile[];
  /** Hands it over; on an error nothing of it is left running. @throws LaunchError, UsageError */
  submit(request: LaunchRequest): Promise<Submitted>;
  /** Jobs that the engine still knows, found by the launch's name alone. @throws LaunchError */
  jobs(record: LaunchRecord): Promise<readonly LaunchedJob[]>;
  /** Ends jobs of this launch: those that wait, or all. @throws LaunchError */
  cancel(record: LaunchRecord, which: 'waiting' | 'all'): Promise<void>;
  /** Output of one of its jobs. @throws LaunchError */
  logs(record: LaunchRecord, job: LaunchedJob): Promise<string>;
}

/** Name of a launch in every engine: of lower case letters, digits and hyphens, unique by study and launch. */
export function launchName(of: Pick<LaunchRecord, 'study8' | 'id'>): string {
  return `resweep-${of.study8}-${of.id}`;
}
