import { createHash } from 'node:crypto';

import { z } from 'zod';

import { messageOf, ResweepError } from '../../core/errors.js';
import { unsafePathReason } from '../destinations/object-key.js';

export const FORMAT = 'resweep-backup';
/** Written; every lower one is read too. */
export const FORMAT_VERSION = 2;

const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/);
const countSchema = z.number().int().nonnegative();
const safePathSchema = z.string().refine((path) => unsafePathReason(path) === undefined, 'is not a safe relative path');

/** `[sha256, first 16 hex of the pack's, offset, length]`; see `docs/backup-format.md`. */
const placeSchema = z.tuple([sha256Schema, z.string().regex(/^[0-9a-f]{16}$/), countSchema, countSchema]);

const memberSchema = z.object({
  /** Relative to the target; empty where the target is a file. */
  path: z.union([z.literal(''), safePathSchema]),
  bytes: countSchema,
  sha256: sha256Schema,
  /** Milliseconds since 1970. */
  modifiedAt: z.number(),
  /** @default 32 KiB */
  chunkBytes: z.number().int().positive().optional(),
  chunks: z.array(placeSchema).optional(),
  /** Version 1 only. */
  lists: z.array(placeSchema).optional(),
  /** The list of the lists. */
  index: placeSchema.optional(),
  /** Chunks that differ from what the lists say. */
  patch: placeSchema.optional(),
});

const studySchema = z.object({
  name: z.string().nullable(),
  finished: countSchema,
  /** Ranges, `"0-39,41"`. */
  numbers: z.string().regex(/^(\d+(-\d+)?(,\d+(-\d+)?)*)?$/),
  digest: sha256Schema,
  best: z.number().nullable(),
});

const manifestSchema = z
  .object({
    format: z.literal(FORMAT),
    formatVersion: z.number().int().min(1).max(FORMAT_VERSION),
    path: safePathSchema,
    kind: z.enum(['file', 'folder']),
    projectRoot: z.string(),
    createdAt: z.iso.datetime(),
    branch: z.string().regex(/^[0-9a-f]{8}$/),
    generation: countSchema,
    parent: z.string().nullable(),
    owner: z.object({ id: z.string(), fence: countSchema, host: z.string() }),
    snapshot: z.enum(['full', 'incremental']),
    lineage: z.string().nullable(),
    study: studySchema.nullable(),
    bytes: countSchema,
    members: z.array(memberSchema).optional(),
    memberPages: z.array(placeSchema).optional(),
    packs: z.array(z.object({ sha256: sha256Schema, bytes: countSchema })),
    origin: z.enum(['saved', 'found']),
  })
  .refine((manifest) => (manifest.members === undefined) !== (manifest.memberPages === undefined), {
    message: 'needs either members or memberPages',
  });

export type Place = z.infer<typeof placeSchema>;
export type Member = z.infer<typeof memberSchema>;
export type StudyContent = z.infer<typeof studySchema>;
export type Manifest = z.infer<typeof manifestSchema>;

/** A document is not a manifest that this version can use. */
export class ManifestError extends ResweepError {
  constructor(message: string, cause?: unknown) {
    super('MANIFEST', message, { cause, exitCode: 3 });
  }
}

/** What a manifest's name alone tells. */
export interface ManifestName {
  /** Without folder, with `.json`. */
  readonly name: string;
  readonly branch: string;
  readonly generation: number;
  readonly finished: number;
  /** Milliseconds since 1970, by the writer's clock. */
  readonly createdAt: number;
  /** First 8 hex of the owner's id. */
  readonly owner: string;
  /** First 16 hex of a file's SHA-256; of a folder, of the digest over its members. Vouches for a mirror. */
  readonly content: string;
  /** First 16 hex of the document's SHA-256. */
  readonly check: string;
}

const NAME = /^([0-9a-f]{8})\.(\d{10})\.(\d{9})\.(\d{13})\.([0-9a-f]{8})\.([0-9a-f]{16})\.([0-9a-f]{16})\.json$/;

/** Undefined where `name` is no manifest's. */
export function parseManifestName(name: string): ManifestName | undefined {
  const match = NAME.exec(name);
  if (match === null) return undefined;
  const [, branch = '', generation, finished, createdAt, owner = '', content = '', check = ''] = match;
  return {
    name,
    branch,
    generation: Number(generation),
    finished: Number(finished),
    createdAt: Number(createdAt),
    owner,
    content,
    check,
  };
}

/** `content`: SHA-256 of the file, or over the members of a folder. */
export function encodeManifest(
  manifest: Manifest,
  content: string,
): { readonly name: string; readonly bytes: Uint8Array } {
  const bytes = Buffer.from(`${JSON.stringify(manifest)}\n`);
  const parts = [
    manifest.branch,
    String(manifest.generation).padStart(10, '0'),
    String(manifest.study?.finished ?? 0).padStart(9, '0'),
    String(Date.parse(manifest.createdAt)).padStart(13, '0'),
    manifest.owner.id.slice(0, 8),
    content.slice(0, 16),
    createHash('sha256').update(bytes).digest('hex').slice(0, 16),
  ];
  return { name: `${parts.join('.')}.json`, bytes };
}

/**
 * Reads a manifest and holds it against its name.
 * @throws ManifestError for a damaged one, one of a later format, and one with paths that leave their place.
 */
export function decodeManifest(name: string, bytes: Uint8Array): Manifest {
  const parsed = parseManifestName(name);
  if (parsed === undefined) throw new ManifestError(`${name} is not the name of a manifest.`);
  const check = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
  if (check !== parsed.check)
    throw new ManifestError(`Manifest ${name} is damaged: its content does not match its name.`);
  let document: unknown;
  try {
    document = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (error) {
    throw new ManifestError(`Manifest ${name} is no JSON: ${messageOf(error)}`, error);
  }
  const version = (document as { formatVersion?: unknown } | null)?.formatVersion;
  if (typeof version === 'number' && version > FORMAT_VERSION) {
    throw new ManifestError(
      `Manifest ${name} has format version ${version}; this resweep reads up to ${FORMAT_VERSION}.`,
    );
  }
  return checked(manifestSchema, document, `Manifest ${name}`);
}

/** Members of a page of `memberPages`. @throws ManifestError */
export function decodeMembers(bytes: Uint8Array): Member[] {
  return checked(z.array(memberSchema), JSON.parse(Buffer.from(bytes).toString('utf8')), 'A page of members');
}

function checked<T>(schema: z.ZodType<T>, document: unknown, what: string): T {
  const result = schema.safeParse(document);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new ManifestError(`${what} is not valid: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`);
}

/** Newest first: by finished trials, then generation, then time. */
export function compareManifests(a: ManifestName, b: ManifestName): number {
  return (
    b.finished - a.finished || b.generation - a.generation || b.createdAt - a.createdAt || (a.name < b.name ? -1 : 1)
  );
}
