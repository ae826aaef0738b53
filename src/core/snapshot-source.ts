/** What a study file holds, found by opening and checking it. */
export interface StudyFileReport {
  /** `integrity_check` passed and the file holds a study. */
  readonly intact: boolean;
  /** What is wrong, where it is not. */
  readonly problem?: string;
  readonly studyName?: string;
  /** Identity of this line of history; a fork gets another. */
  readonly lineage?: string;
  /** Finished trials (COMPLETE, PRUNED, FAIL). */
  readonly finished: number;
  /** Numbers of the finished trials with a digest of each, for "contains all of that one's". */
  readonly trialDigests: ReadonlyMap<number, string>;
  /** Best value of a single-objective study. */
  readonly best?: number;
  /** True for a database that passed `integrity_check` and has tables, also where it holds no study. */
  readonly sound?: boolean;
}

/** What of an inspection may be left out, so that it costs little after every trial. */
export interface InspectOptions {
  /** Whether to run `integrity_check`. @default true */
  readonly checkIntegrity?: boolean;
  /** Digests of finished trials that are known already (they never change); need not be computed again. */
  readonly knownTrials?: ReadonlyMap<number, string>;
}

/** How a consistent copy of a live database is made and judged. Implemented by storage, handed in by app. */
export interface SnapshotSource {
  /** Whether a file is a database that needs this (by its content, not its name). */
  isDatabase(path: string): Promise<boolean>;
  /** Writes a consistent copy of the live database `path` to the new file `target`, off this thread. Bytes are those of a closed file in DELETE mode. */
  snapshot(path: string, target: string): Promise<void>;
  /** Opens a file that nobody writes and reports on it. Never throws for a damaged one. */
  inspect(path: string, options?: InspectOptions): Promise<StudyFileReport>;
}
