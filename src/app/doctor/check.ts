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
}

/** One thing that `resweep doctor` looks at: a file of its own in `checks/`, named in `checks.ts`. */
export interface DoctorCheck {
  /** As in `resweep doctor --fix <name>`. */
  readonly name: string;
  readonly title: string;
  /** Looks, and changes nothing. Never throws for what it finds. */
  check(): Promise<CheckResult>;
  /** Mends it; harmless where nothing is broken. `say` gets a line before each step that takes time. @throws ResweepError */
  readonly fix?: ((say: (line: string) => void) => Promise<void>) | undefined;
}
