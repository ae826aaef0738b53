/** The worst that a verification which was not all good found. `unchecked`: the destination could not be asked to the end. */
export type VerificationFinding = 'damaged' | 'missing' | 'unchecked';

/** One thing that the backup module did; goes to `events.jsonl` and, at info level, to the log. */
export interface BackupEvent {
  readonly type:
    | 'backup'
    | 'backupFailed'
    | 'backupRecovered'
    | 'fork'
    | 'mirrorKept'
    | 'verification'
    | 'repair'
    | 'prune'
    | 'restore'
    | 'restoreFallback'
    | 'restoreFailed'
    | 'ownership'
    | 'flush';
  /** ISO 8601, UTC. */
  readonly at: string;
  /** Name of the destination; undefined where no single one is meant. */
  readonly destination?: string | undefined;
  /** Relative to the project root. */
  readonly path?: string | undefined;
  /** Size of what is saved or restored. */
  readonly bytes?: number | undefined;
  /** What really went over the wire. */
  readonly sentBytes?: number | undefined;
  readonly sha256?: string | undefined;
  readonly durationMs?: number | undefined;
  readonly outcome: 'ok' | 'warning' | 'failed';
  readonly verified?: 'verified' | 'handedToMount' | 'no' | undefined;
  readonly finishedTrials?: number | undefined;
  readonly generation?: number | undefined;
  readonly branch?: string | undefined;
  /** Of a verification. */
  readonly finding?: VerificationFinding | undefined;
  /** Name of the manifest. */
  readonly snapshot?: string | undefined;
  /** One sentence for people. */
  readonly message: string;
}

/** Where lines for people go. Anything with these two methods, such as a pino logger's, bound. */
export interface BackupLog {
  readonly info: (message: string) => void;
  readonly warn: (message: string) => void;
}

/** Passes events on and writes a log line for each. What a listener throws never reaches a backup. */
export class BackupReporter {
  readonly #onEvent: ((event: BackupEvent) => void) | undefined;
  readonly #log: BackupLog;
  readonly #warned = new Map<string, string>();

  constructor(log: BackupLog | undefined, onEvent: ((event: BackupEvent) => void) | undefined) {
    this.#log = log ?? processWarnings;
    this.#onEvent = onEvent;
  }

  emit(event: Omit<BackupEvent, 'at'>): void {
    const complete: BackupEvent = { at: new Date().toISOString(), ...event };
    try {
      if (event.outcome === 'ok') this.#log.info(event.message);
      else this.#log.warn(event.message);
      this.#onEvent?.(complete);
    } catch {
      // A listener's fault is not a failed backup.
    }
  }

  /** Emits a failure at its first occurrence, and again only when the error changes or `recovered` came between. */
  emitOnce(key: string, event: Omit<BackupEvent, 'at'>): void {
    const kind = event.message.replaceAll(/[\d.]+/g, '#');
    if (this.#warned.get(key) === kind) return;
    this.#warned.set(key, kind);
    this.emit(event);
  }

  /** True where `key` was in failure until now. */
  recovered(key: string): boolean {
    return this.#warned.delete(key);
  }
}

const processWarnings: BackupLog = {
  info: () => undefined,
  warn: (message) => {
    process.emitWarning(message, 'ResweepBackupWarning');
  },
};
