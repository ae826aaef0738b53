import * as z from 'zod';

import type { JsonValue } from '../core/json.js';
import { KEEP_TIERS, type DestinationConfig } from '../core/sweep-config.js';
import { camelKeys } from '../core/key-case.js';
import { nearestName } from '../core/nearest-name.js';
import type { DestinationEntry } from './component-schema.js';
import { findEntry, parseBy, parseOptions, taggedJsonSchema } from './component-schema.js';
import { oneOf } from './explain-issue.js';
import { duration, isRecord, reader } from './schema-readers.js';
import { parseDuration } from './units.js';

const every = reader(
  (value, complain): DestinationConfig['every'] => {
    if (value === 'trial' || value === undefined) return { trials: 1 };
    const [, trials] = typeof value === 'string' ? (/^\s*(\d+)\s*trials?\s*$/.exec(value) ?? []) : [];
    if (trials !== undefined && Number(trials) > 0) return { trials: Number(trials) };
    const milliseconds = parseDuration(value);
    if (milliseconds === undefined || milliseconds === 0)
      complain({ allowed: 'trial, a number of trials such as 10 trials, or a duration such as 15m' });
    return { milliseconds: milliseconds ?? 0 };
  },
  () => ({
    type: 'string',
    description: 'How often a copy is sent.',
    default: 'trial',
    examples: ['trial', '10 trials', '15m'],
  }),
);

const keep = z.strictObject({
  newest: z.int().min(1).default(10).describe('Newest snapshots.'),
  days: z.int().min(0).default(14).describe('One a day, for so many days.'),
  weeks: z.int().min(0).default(8).describe('One a week.'),
  months: z.int().min(0).default(12).describe('One a month.'),
  milestones: z
    .array(z.int().min(1))
    .default([10, 100, 1000, 10_000, 100_000])
    .describe('Trial counts whose snapshot is kept for good.'),
});

const encrypt = reader(
  (value, complain): DestinationConfig['encrypt'] => {
    const keys = isRecord(value) ? Object.keys(value) : [];
    const [key] = keys;
    const text = isRecord(value) && key !== undefined ? value[key] : undefined;
    if (keys.length !== 1 || typeof text !== 'string' || (key !== 'passphrase_env' && key !== 'key_file')) {
      complain({ allowed: '{passphrase_env: NAME} or {key_file: path}; a passphrase itself never stands here' });
      return undefined;
    }
    return key === 'passphrase_env' ? { passphraseEnv: text } : { keyFile: text };
  },
  () => ({
    description: 'Encrypts before sending.',
    type: 'object',
    properties: { passphrase_env: { type: 'string' }, key_file: { type: 'string' } },
    minProperties: 1,
    maxProperties: 1,
    additionalProperties: false,
  }),
);

const storageClass = reader(
  (value, complain): DestinationConfig['storageClass'] => {
    if (typeof value === 'string' && value !== '') return value;
    const allowed = `a class such as STANDARD_IA, or a mapping of ${oneOf(KEEP_TIERS)} to such`;
    if (!isRecord(value)) {
      complain({ allowed });
      return undefined;
    }
    for (const [tier, name] of Object.entries(value)) {
      if (!KEEP_TIERS.some((known) => known === tier)) {
        complain({ allowed: oneOf(KEEP_TIERS), nearest: nearestName(tier, KEEP_TIERS) }, [tier]);
      } else if (typeof name !== 'string' || name === '') complain({ allowed: 'a class such as STANDARD_IA' }, [tier]);
    }
    return value;
  },
  () => ({
    description: 'Storage class, where the kind has such: one, or by what keeps a state.',
    anyOf: [
      { type: 'string', minLength: 1 },
      {
        type: 'object',
        properties: Object.fromEntries(KEEP_TIERS.map((tier) => [tier, { type: 'string', minLength: 1 }])),
        additionalProperties: false,
      },
    ],
    examples: ['STANDARD_IA', { days: 'STANDARD_IA', months: 'GLACIER' }],
  }),
);

/** Keys that every kind of destination has. */
const common = z.object({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/)
    .describe('a name of letters, digits, ".", "_" and "-"'),
  every: every.optional(),
  priority: z.int().default(0).describe('Order of restoring: lower first.'),
  project: z.string().min(1).optional().describe('Prefix at the destination, so that several projects share it.'),
  encrypt: encrypt.optional(),
  storage_class: storageClass.optional(),
  tags: z.record(z.string(), z.string()).default({}).describe('Tags on what is sent, where the kind has such.'),
  verify: z
    .strictObject({
      every: duration('How often the copies are verified during a sweep.', '6h').optional(),
      deep: z.boolean().default(false).describe('Download and open them.'),
    })
    .prefault({}),
  keep: keep.prefault({}).describe('How many snapshots are kept.'),
});

/** The same without their defaults, to tell which keys are the kind's own. */
const COMMON_KEYS = Object.keys(common.shape);

function destination(entries: readonly DestinationEntry[]): z.ZodType<DestinationConfig> {
  return reader(
    (value, complain) => {
      const { type, ...rest }: Readonly<Record<string, unknown>> = isRecord(value) ? value : {};
      if (!isRecord(value))
        complain({ allowed: `a mapping with a name and a type (${oneOf(entries.map((entry) => entry.type))})` });
      const entry = isRecord(value) ? findEntry(entries, type, complain) : undefined;
      const pick = (isCommon: boolean): Readonly<Record<string, unknown>> =>
        Object.fromEntries(Object.entries(rest).filter(([key]) => COMMON_KEYS.includes(key) === isCommon));
      const own =
        entry === undefined ? {} : parseOptions(entry.schema, pick(false), complain, ['type', ...COMMON_KEYS]);
      if (!isRecord(value)) return toDestination(undefined, common.parse({ name: 'none' }), own);
      const base = parseBy(common, pick(true), complain) ?? common.parse({ name: 'none' });
      return toDestination(entry, base, own);
    },
    () => ({
      description: 'A place that keeps backups.',
      anyOf: entries.map((entry) => taggedJsonSchema('type', entry, entry.schema.safeExtend(common.shape))),
    }),
  );
}

function toDestination(
  entry: DestinationEntry | undefined,
  base: z.output<typeof common>,
  options: Readonly<Record<string, JsonValue>>,
): DestinationConfig {
  const { storage_class: storageClass, every: interval = entry?.defaultEvery ?? { trials: 1 }, ...others } = base;
  return { ...others, type: entry?.type ?? '', every: interval, storageClass, options: camelKeys(options) };
}

export function backupSchema(entries: readonly DestinationEntry[]) {
  return z
    .strictObject({
      enabled: z.boolean().default(true).describe('false: no copy is taken, nothing is restored.'),
      status_page: z
        .boolean()
        .default(true)
        .describe('Whether a page about the sweep, status.html, is kept beside each plain copy.'),
      mounts: z
        .array(z.string().min(1))
        .default([])
        .describe('Folders under which a cloud drive is mounted, beyond those known.'),
      destinations: z
        .array(destination(entries))
        .default([])
        .describe('Places that keep backups, in the order of restoring.'),
    })
    .prefault({})
    .describe('Copies of the study, taken after every trial.');
}
