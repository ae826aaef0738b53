import type { JsonValue } from '../../core/json.js';
import type { BackupEvent } from '../../backup/index.js';
import type { SweepEvent } from './events-log.js';

/** What the backup module did, as a line of `events.jsonl`: `backupFailed` → `backup-failed`. */
export function backupEventLine({ type, at: _at, ...fields }: BackupEvent): SweepEvent {
  const known = Object.entries(fields).filter(([, value]) => value !== undefined);
  const event = type.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return { event, ...(Object.fromEntries(known) as Record<string, JsonValue>) };
}
