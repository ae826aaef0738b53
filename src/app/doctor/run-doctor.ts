import { messageOf, UsageError } from '../../core/errors.js';
import { nearestName } from '../../core/nearest-name.js';
import { findProjectRoot } from '../../config/project-root.js';
import { locateSweep } from '../studies/locate-sweep.js';
import type { CheckResult, DoctorCheck, DoctorContext } from './check.js';
import { DOCTOR_CHECKS } from './checks.js';

export interface DoctorReport extends CheckResult {
  readonly name: string;
  readonly title: string;
}

export interface DoctorOptions {
  /** Names of checks; empty: all. */
  readonly names: readonly string[];
  /** Whose destinations, storage, data and packages are looked at too. */
  readonly configPath?: string | undefined;
  /** Whether what can be mended is mended first. */
  readonly fix: boolean;
  readonly say: (line: string) => void;
}

/**
 * Runs checks, one after the other, each after its repair where that is asked for and something is wrong, or the check was named.
 * @throws UsageError for an unknown name; ConfigError; ResweepError of a repair
 */
export async function runDoctor(options: DoctorOptions): Promise<DoctorReport[]> {
  const { names, fix, say, configPath } = options;
  const checks = names.length === 0 ? DOCTOR_CHECKS : names.map(findCheck);
  const sweep = configPath === undefined ? undefined : await locateSweep(configPath);
  const context: DoctorContext = { projectRoot: sweep?.projectRoot ?? findProjectRoot(process.cwd()), sweep };
  const reports: DoctorReport[] = [];
  for (const check of checks) {
    let found = await look(check, context);
    if (fix && check.fix !== undefined && (names.length > 0 || found.some(({ state }) => state === 'bad'))) {
      await check.fix(say, context);
      found = await look(check, context);
    }
    reports.push(...found);
  }
  return reports;
}

async function look(check: DoctorCheck, context: DoctorContext): Promise<DoctorReport[]> {
  const { name, title } = check;
  try {
    return [await check.check(context)].flat().map((result) => ({ name, ...result, title: result.title ?? title }));
  } catch (error) {
    // A check that cannot even look is itself something to be told.
    return [{ name, title, state: 'bad', summary: messageOf(error) }];
  }
}

function findCheck(name: string): DoctorCheck {
  const check = DOCTOR_CHECKS.find((candidate) => candidate.name === name);
  if (check !== undefined) return check;
  const known = DOCTOR_CHECKS.map((candidate) => candidate.name);
  const near = nearestName(name, known);
  throw new UsageError(`doctor knows nothing called "${name}"; it knows ${known.join(', ')}, and configurations.`, {
    ...(near === undefined ? {} : { hint: `Did you mean "${near}"?` }),
  });
}
