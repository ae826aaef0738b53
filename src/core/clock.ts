/** Source of wall-clock time, injectable so that retention and leases can be tested over years. */
export interface Clock {
  /** Milliseconds since 1970-01-01 UTC. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };

/** Naive UTC text as Optuna 5 stores it: `YYYY-MM-DD HH:MM:SS.ffffff`. */
export function toDatabaseTime(milliseconds: number): string {
  const iso = new Date(milliseconds).toISOString();
  return `${iso.slice(0, 10)} ${iso.slice(11, 23)}000`;
}

/** Reads the same text, with a shorter or missing fraction, a `T`, and any zone mark ignored. Undefined where it is no date. */
export function fromDatabaseTime(text: string): Date | undefined {
  const match = /^(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?/.exec(text);
  if (match === null) return undefined;
  const [, day = '', time = '', fraction = ''] = match;
  const milliseconds = Date.parse(`${day}T${time}.${fraction.padEnd(3, '0').slice(0, 3)}Z`);
  if (Number.isNaN(milliseconds)) return undefined;
  const date = new Date(milliseconds);
  // The 30th of February would silently become a day in March.
  return date.toISOString().startsWith(`${day}T${time}`) ? date : undefined;
}
