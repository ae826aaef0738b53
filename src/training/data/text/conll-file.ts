import { UsageError } from '../../../core/errors.js';
import { textOf } from '../csv-table.js';

/** A sentence: its tokens and their tags. */
export interface TaggedSentence {
  readonly tokens: readonly string[];
  readonly tags: readonly string[];
}

export interface ConllColumns {
  /** Index from 0 of the column with the token. */
  readonly token: number;
  /** `last`, `first`, or an index from 0. */
  readonly target: string | number;
}

/**
 * Reads sentences in the form of the CoNLL tasks: a token a line, columns between white space, an empty line after each sentence.
 * `-DOCSTART-` lines and lines that begin with `# ` are left out.
 * @throws UsageError with file and line where columns are missing.
 */
export function parseConll(bytes: Buffer, path: string, { token, target }: ConllColumns): TaggedSentence[] {
  const sentences: TaggedSentence[] = [];
  let tokens: string[] = [];
  let tags: string[] = [];
  const close = (): void => {
    if (tokens.length > 0) sentences.push({ tokens, tags });
    tokens = [];
    tags = [];
  };
  const lines = textOf(bytes, path).replace(/^\u{feff}/u, '').split('\n');
  let columns: number | undefined;
  lines.forEach((raw, index) => {
    const line = raw.replace(/\r$/, '');
    if (line.trim() === '') {
      close();
      return;
    }
    if (line.startsWith('-DOCSTART-') || (line.startsWith('# ') && tokens.length === 0)) return;
    const cells = line.includes('\t') ? line.split('\t').map((cell) => cell.trim()) : line.trim().split(/\s+/);
    columns ??= cells.length;
    const tagColumn = target === 'last' ? columns - 1 : target === 'first' ? 0 : Number(target);
    if (!Number.isInteger(tagColumn) || tagColumn === token) {
      throw new UsageError(
        `data.target: the tags' column must be last, first or an index from 0 other than ${token}, but is ${target}.`,
      );
    }
    const [word, tag] = [cells[token], cells[tagColumn]];
    if (word === undefined || tag === undefined || word === '' || tag === '') {
      throw new UsageError(
        `${path}, line ${index + 1}: a token and its tag are expected in columns ${token} and ${tagColumn}, but there are ${cells.length} columns ("${line.slice(0, 60)}").`,
        { hint: 'Columns stand between tabs or blanks, sentences between empty lines.' },
      );
    }
    tokens.push(word);
    tags.push(tag);
  });
  close();
  if (sentences.length === 0) throw new UsageError(`${path} has no sentence.`);
  return sentences;
}
