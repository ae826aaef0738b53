/** Readers and writers of durations (milliseconds), sizes (bytes) and shares (fractions), as a configuration and the command line spell them. */

const MILLISECONDS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

const BYTES: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

export const DURATION_FORM = 'a duration with its unit (ms, s, m, h, d, w), such as 90s, 30m or 1h30m';
export const SIZE_FORM = 'a size with its unit (B, KB, MB, GB, TB, or KiB, MiB, GiB, TiB), such as 512MB or 4GB';
export const SHARE_FORM = 'a share from 0 to 1, or a percentage such as 20%';

const NUMBER = '(?:\\d+(?:\\.\\d+)?|\\.\\d+)';
const DURATION_PART = new RegExp(`(${NUMBER})\\s*(ms|min|s|m|h|d|w)(?![a-z])\\s*`, 'gi');
const DURATION = new RegExp(`^(?:${NUMBER}\\s*(?:ms|min|s|m|h|d|w)(?:\\s+|(?=[\\d.])|$))+$`, 'i');
const SIZE = new RegExp(`^(${NUMBER})\\s*([kmgt]i?b|b)$`, 'i');
const SHARE = new RegExp(`^(${NUMBER})\\s*%$`);

/** Milliseconds of `1h30m`, `90s`, `1.5h`, `2d 12h`; each unit at most once. Undefined where it is no duration (a bare number has no unit). */
export function parseDuration(value: unknown): number | undefined {
  if (typeof value !== 'string') return undefined;
  const text = value.trim();
  if (!DURATION.test(text)) return undefined;
  const seen = new Set<number>();
  let total = 0;
  for (const [, amount, unit = ''] of text.matchAll(DURATION_PART)) {
    const scale = MILLISECONDS[unit.toLowerCase()];
    if (scale === undefined || seen.has(scale)) return undefined;
    seen.add(scale);
    total += Number(amount) * scale;
  }
  const rounded = Math.round(total);
  return Number.isSafeInteger(rounded) ? rounded : undefined;
}

/** The shortest exact text: 5400000 → `1h30m`. Reads back as the same number. */
export function formatDuration(milliseconds: number): string {
  let rest = Math.round(milliseconds);
  if (rest <= 0) return '0s';
  let text = '';
  for (const unit of ['d', 'h', 'm', 's', 'ms']) {
    const scale = MILLISECONDS[unit] ?? 1;
    const count = Math.floor(rest / scale);
    if (count === 0) continue;
    text += `${count}${unit}`;
    rest -= count * scale;
  }
  return text;
}

/** Bytes of `4GB` (decimal, 4e9) or `4GiB` (binary). Undefined where it is no size. */
export function parseSize(value: unknown): number | undefined {
  if (typeof value !== 'string') return undefined;
  const match = SIZE.exec(value.trim());
  const scale = BYTES[match?.[2]?.toLowerCase() ?? ''];
  if (match === null || scale === undefined) return undefined;
  const bytes = Math.round(Number(match[1]) * scale);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** The shortest exact text: 4000000000 → `4GB`, 1048576 → `1MiB`, 1234 → `1234B`. Reads back as the same number. */
export function formatSize(bytes: number): string {
  for (const unit of ['TB', 'TiB', 'GB', 'GiB', 'MB', 'MiB', 'KB', 'KiB']) {
    const scale = BYTES[unit.toLowerCase()] ?? 1;
    if (bytes >= scale && bytes % scale === 0) return `${bytes / scale}${unit}`;
  }
  return `${bytes}B`;
}

/** Fraction of `20%` or 0.2. Undefined where it is neither, or not from 0 to 1. */
export function parseShare(value: unknown): number | undefined {
  if (typeof value === 'number') return value >= 0 && value <= 1 ? value : undefined;
  if (typeof value !== 'string') return undefined;
  const match = SHARE.exec(value.trim());
  if (match === null) return undefined;
  // Through decimal text, so that 1 % is 0.01 and 7 % is 0.07, not 0.07000000000000001.
  const share = Number((Number(match[1]) / 100).toPrecision(15));
  return share <= 1 ? share : undefined;
}
