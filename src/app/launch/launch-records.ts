import type { JsonValue } from '../../core/json.js';
import type { LaunchRecord } from '../../launch/launcher.js';
import type { Study } from '../../study/study.js';

/** Prefix of system attributes of a study, followed by the launch's id: what was started, where, and whether it is to end. */
const LAUNCH_ATTRIBUTE = 'resweep:launch:';

/** Launches of a study as this process knows them, oldest first. */
export function launchesOf(study: Study): readonly LaunchRecord[] {
  return Object.entries(study.systemAttrs)
    .filter(([key]) => key.startsWith(LAUNCH_ATTRIBUTE))
    .flatMap(([, value]): LaunchRecord[] => (isRecord(value) ? [value] : []))
    .sort((a, b) => a.at.localeCompare(b.at));
}

/** One of them. */
export function launchOf(study: Study, id: string): LaunchRecord | undefined {
  const value = study.systemAttrs[LAUNCH_ATTRIBUTE + id];
  return isRecord(value) ? value : undefined;
}

/** Stores a launch, or what has changed about it. */
export async function keepLaunch(study: Study, record: LaunchRecord): Promise<void> {
  await study.setSystemAttr(LAUNCH_ATTRIBUTE + record.id, { ...record } as unknown as JsonValue);
}

function isRecord(value: unknown): value is LaunchRecord {
  return typeof value === 'object' && value !== null && 'engine' in value && 'id' in value && 'at' in value;
}
