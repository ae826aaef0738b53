import { UsageError } from '../../core/errors.js';
import { nearestName } from '../../core/nearest-name.js';
import type { CheckResult, DoctorCheck } from './check.js';
import { DOCTOR_CHECKS } from './checks.js';

export interface DoctorReport extends CheckResult {
  readonly name: string;
  readonly title: string;
}

export interface DoctorOptions {
  /** Names of checks; empty: all. */
  readonly names: readonly string[];
  /** Whether what can be mended is mended first. */
  readonly fix: boolean;
  readonly say: (line: string) => void;
}

/** Runs checks, one after the other, each after its repair where that is asked for. @throws UsageError for an unknown name. */
export async function runDoctor({ names, fix, say }: DoctorOptions): Promise<DoctorReport[]> {
  const reports: DoctorReport[] = [];
  for (const check of names.length === 0 ? DOCTOR_CHECKS : names.map(findCheck)) {
    if (fix) await check.fix?.(say);
    reports.push({ name: check.name, title: check.title, ...(await check.check()) });
  }
  return reports;
}

function findCheck(name: string): DoctorCheck {
  const check = DOCTOR_CHECKS.find((candidate) => candidate.name === name);
  if (check !== undefined) return check;
  const known = DOCTOR_CHECKS.map((candidate) => candidate.name);
  const near = nearestName(name, known);
  throw new UsageError(`doctor knows nothing called "${name}"; it knows ${known.join(', ')}.`, {
    ...(near === undefined ? {} : { hint: `Did you mean "${near}"?` }),
  });
}
