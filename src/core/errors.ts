/**
 * Every error that resweep raises on purpose. `code` is stable and machine-readable, `hint` names the
 * next step a person can take, `cause` keeps what happened below. The command line turns `exitCode`
 * into the process's exit status in one place.
 */
export class ResweepError extends Error {
  readonly code: string;
  readonly hint: string | undefined;
  readonly exitCode: number;

  constructor(code: string, message: string, options: { hint?: string; cause?: unknown; exitCode?: number } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.hint = options.hint;
    this.exitCode = options.exitCode ?? 1;
  }
}

/** Wrong use or wrong configuration: nothing was changed on disk. Exit code 2. */
export class UsageError extends ResweepError {
  constructor(message: string, options: { hint?: string; cause?: unknown; code?: string } = {}) {
    super(options.code ?? 'USAGE', message, { ...options, exitCode: 2 });
  }
}

/** A study of this name exists already. */
export class DuplicatedStudyError extends ResweepError {
  constructor(studyName: string, options: { cause?: unknown } = {}) {
    super('DUPLICATED_STUDY', `A study named "${studyName}" exists already.`, {
      ...options,
      hint: 'Pass loadIfExists: true to go on with it, or choose another name.',
    });
  }
}

/** No study of this name. `known` lists those that the storage holds, for the message. */
export class StudyNotFoundError extends ResweepError {
  constructor(studyName: string, known: readonly string[] = []) {
    super('STUDY_NOT_FOUND', `There is no study named "${studyName}" in this storage.`, {
      hint:
        known.length === 0
          ? 'The storage holds no study at all.'
          : `It holds: ${known
              .slice(0, 20)
              .map((name) => `"${name}"`)
              .join(', ')}${known.length > 20 ? ', …' : ''}.`,
    });
  }
}

/** A finished trial can never be changed. */
export class UpdateFinishedTrialError extends ResweepError {
  readonly trialId: number;

  constructor(trialId: number, message = `Trial with id ${trialId} is finished and cannot be changed.`) {
    super('UPDATE_FINISHED_TRIAL', message);
    this.trialId = trialId;
  }
}

/** A storage could not be opened, read or written. `permanent` tells whether trying again can help. */
export class StorageError extends ResweepError {
  readonly permanent: boolean;

  constructor(
    message: string,
    options: { code?: string; hint?: string; cause?: unknown; permanent?: boolean; exitCode?: number } = {},
  ) {
    super(options.code ?? 'STORAGE', message, options);
    this.permanent = options.permanent ?? true;
  }
}

/** Thrown by an objective (or for it) to end a trial as PRUNED. */
export class TrialPruned extends Error {
  constructor(message = 'Trial was pruned.') {
    super(message);
    this.name = 'TrialPruned';
  }
}

/** The message of anything thrown, for logs and attributes. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What went wrong and, where it is known, what to do about it, as whole sentences on one line. */
export function explanationOf(error: unknown): string {
  const message = messageOf(error);
  const hint = error instanceof ResweepError ? error.hint : undefined;
  return [message, ...(hint === undefined || message.includes(hint) ? [] : [hint])]
    .map((text) => (/[.!?]$/.test(text.trimEnd()) ? text.trimEnd() : `${text.trimEnd()}.`))
    .join(' ');
}
