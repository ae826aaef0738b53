import type { FixedParts } from './split.js';

/** The part that a folder or file belongs to by its name: `train…`, `val…`, `dev…`, `testa`, `test…`, `t10k…`. */
export function partOfName(name: string): 'train' | 'validation' | 'test' | undefined {
  if (/^train/i.test(name)) return 'train';
  if (/^(val|dev|testa$)/i.test(name)) return 'validation';
  return /^(test|t10k)/i.test(name) ? 'test' : undefined;
}

/** Rows by part, those of the training part left out: it is whatever is in no other. */
export function fixedParts(parts: readonly ('train' | 'validation' | 'test' | undefined)[]): FixedParts {
  const rowsOf = (part: string): Int32Array | undefined => {
    const rows = parts.flatMap((own, row) => (own === part ? [row] : []));
    return rows.length === 0 ? undefined : Int32Array.from(rows);
  };
  return { validation: rowsOf('validation'), test: rowsOf('test') };
}
