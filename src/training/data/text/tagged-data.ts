import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import * as z from 'zod';

import { UsageError } from '../../../core/errors.js';
import { canonicalJson } from '../../../core/json.js';
import type { DataConfig } from '../../../core/sweep-config.js';
import { DataCache, statOfPath } from '../data-cache.js';
import { fixedParts, partOfName } from '../part-names.js';
import { partsSchema, type Part } from '../parts.js';
import { joinValidation, splitRows, type FixedParts, type Split } from '../split.js';
import { parseConll, type TaggedSentence } from './conll-file.js';

/** Keys of `data:` that trainers of tagged tokens have beyond the common ones. */
export const taggedDataSchema = z.strictObject({
  token: z.int().min(0).default(0).describe('Index from 0 of the column with the token; `target` is that of the tag.'),
  folds: partsSchema.shape.folds,
});

interface TaggedSentences {
  readonly sentences: readonly TaggedSentence[];
  readonly fixed: FixedParts;
  /** Every tag, `O` first. */
  readonly tags: readonly string[];
  readonly contentHash: string;
}

export interface TaggedData extends Omit<TaggedSentences, 'fixed'> {
  /** Of the sentences. */
  readonly split: Split;
}

const files = new DataCache<TaggedSentences>(2);

/**
 * Reads tagged sentences: one file, which is split, or a folder with files of parts (`train…`, `dev…`, `valid…` or `testa`, `test…`).
 * @throws UsageError naming file and line at fault.
 */
export function loadTaggedData(data: DataConfig, { fitOn, fold }: Part = {}): TaggedData {
  const options = taggedDataSchema.parse(data.options);
  const { stamp, isFolder } = statOfPath(data.path);
  const key = canonicalJson([stamp, { ...data, header: null, version: null }]);
  const { fixed, ...tagged } = files.get(key, () => read(data, isFolder, options.token));
  const folds = fold === undefined ? undefined : options.folds;
  const parts = splitRows(tagged.sentences.length, { ...data, folds, fold }, undefined, fixed);
  return { ...tagged, split: fitOn === 'train+validation' ? joinValidation(parts) : parts };
}

function read(data: DataConfig, isFolder: boolean, token: number): TaggedSentences {
  const paths = isFolder ? partFiles(data.path) : [data.path];
  const hash = createHash('sha256');
  const parts: ReturnType<typeof partOfName>[] = [];
  const sentences = paths.flatMap((path) => {
    const bytes = readFileSync(path);
    hash.update(bytes);
    const found = parseConll(bytes, path, { token, target: data.target });
    parts.push(...found.map(() => (isFolder ? partOfName(path.slice(data.path.length + 1).replace(/\..*$/, '')) : undefined)));
    return found;
  });
  const distinct = new Set(sentences.flatMap(({ tags }) => tags));
  distinct.delete('O');
  const tags = ['O', ...[...distinct].sort()];
  if (tags.length < 2) throw new UsageError(`${data.path} has no tag but O, so there is nothing to learn.`);
  if (tags.length > 500) {
    throw new UsageError(`${data.path} has ${tags.length} different tags, too many to tell apart.`, {
      hint: 'Is data.target the column of the tags?',
    });
  }
  return { sentences, fixed: fixedParts(parts), tags, contentHash: hash.digest('hex') };
}

function partFiles(folder: string): string[] {
  const names = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name)
    .filter((name) => !name.startsWith('.') && partOfName(name.replace(/\..*$/, '')) !== undefined)
    .sort();
  if (names.some((name) => partOfName(name.replace(/\..*$/, '')) === 'train'))
    return names.map((name) => join(folder, name));
  throw new UsageError(`${folder} holds no file of training sentences: one whose name begins with train is expected.`);
}
