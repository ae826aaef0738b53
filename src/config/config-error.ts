import { UsageError } from '../core/errors.js';
import { redactUrls } from '../core/storage-url.js';

/** One thing that is wrong in a configuration. */
export interface ConfigProblem {
  /** The file as it was named, or `--set` for a value from the command line. */
  readonly file: string;
  /** From 1; absent for `--set`. */
  readonly line?: number | undefined;
  readonly column?: number | undefined;
  /** Dotted: `backup.destinations.0.path`. Empty: the whole file. */
  readonly key: string;
  /** What is written there, as text; secrets stay `${NAME}`. Absent: nothing is. */
  readonly found?: string | undefined;
  /** What may stand there. */
  readonly allowed?: string | undefined;
  /** The valid name that is nearest to what was found. */
  readonly nearest?: string | undefined;
  /** The whole sentence, without the place. */
  readonly message: string;
}

/** A configuration that cannot be used, with every problem at once in the order of the file. Nothing was changed on disk. */
export class ConfigError extends UsageError {
  readonly problems: readonly ConfigProblem[];

  constructor(path: string, problems: readonly ConfigProblem[]) {
    const ordered = [...problems].sort((a, b) => position(a) - position(b));
    const count = ordered.length === 1 ? '1 error' : `${ordered.length} errors`;
    super(`${path} has ${count}:\n${ordered.map((problem) => `  ${renderProblem(problem)}`).join('\n')}`, {
      code: 'CONFIG',
    });
    this.problems = ordered;
  }
}

function position(problem: ConfigProblem): number {
  return problem.line === undefined ? Number.MAX_SAFE_INTEGER : problem.line * 100_000 + (problem.column ?? 0);
}

/** `file:line:column: key: message`, or `--set key: message`. */
export function renderProblem(problem: ConfigProblem): string {
  const place =
    problem.line === undefined ? problem.file : `${problem.file}:${problem.line}:${String(problem.column ?? 1)}`;
  const key = problem.key === '' || problem.file === `--set ${problem.key}` ? '' : `${problem.key}: `;
  // What was meant as a storage URL may hold a password, whatever it looks like.
  const isSecret = /^storage(\.url)?$/.test(problem.key) && problem.found !== undefined && problem.found.length > 12;
  const message = isSecret ? problem.message.replaceAll(problem.found, 'a text that is no URL') : problem.message;
  return redactUrls(`${place}: ${key}${message}`);
}

/** The one sentence for all problems: what was found, what is allowed, the nearest name. */
export function sentence(parts: Pick<ConfigProblem, 'found' | 'allowed' | 'nearest'> & { missing?: boolean }): string {
  const found = parts.missing === true || parts.found === undefined ? 'is missing' : `found ${parts.found}`;
  const allowed = parts.allowed === undefined ? '' : `; expected ${parts.allowed}`;
  const nearest = parts.nearest === undefined ? '' : ` Did you mean "${parts.nearest}"?`;
  return `${found}${allowed}.${nearest}`;
}
