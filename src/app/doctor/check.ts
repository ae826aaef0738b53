import type { LocatedSweep } from '../studies/locate-sweep.js';

/** What a check found. */
export interface CheckResult {
  /** `warning`: works, but something is not as good as it could be. */
  readonly state: 'good' | 'warning' | 'bad';
  /** One line. */
  readonly summary: string;
  /** What a person can do about it. */
  readonly hint?: string | undefined;
  /** More, for `--json` and `--verbose`. */
  readonly details?: Readonly<Record<string, string>> | undefined;
  /** In place of the check's own, where one looks at several things. */
  readonly title?: string | undefined;
}

/** Where a check looks. */
export interface DoctorContext {
  /** Root of the project, or the working directory. */
  readonly projectRoot: string;
  /** The configuration, where one was named. */
  readonly sweep: LocatedSweep | undefined;
}

/** One thing that `resweep doctor` looks at: a file of its own in `checks/`, named in `checks.ts`. */
export interface DoctorCheck {
  /** As in `resweep doctor --fix <name>`. */
  readonly name: string;
  readonly title: string;
  /** Looks, and leaves nothing changed. Never throws for what it finds. An empty list: nothing to look at here. */
  check(context: DoctorContext): Promise<CheckResult | readonly CheckResult[]>;
  /** Mends it; harmless where nothing is broken. `say` gets a line before each step that takes time. @throws ResweepError */
  readonly fix?: ((say: (line: string) => void, context: DoctorContext) => Promise<void>) | undefined;
}
