/** How Optuna's tables hold what a FLOAT column cannot: a word beside an empty value. */
export type ValueType = 'FINITE' | 'INF_POS' | 'INF_NEG' | 'NAN';

/** Value and type columns of a number. */
export function toColumns(value: number): { value: number | null; type: ValueType } {
  if (Number.isNaN(value)) return { value: null, type: 'NAN' };
  if (value === Infinity) return { value: null, type: 'INF_POS' };
  if (value === -Infinity) return { value: null, type: 'INF_NEG' };
  return { value, type: 'FINITE' };
}

/** The number that the columns mean; undefined where they contradict each other. */
export function fromColumns(value: number | null, type: string): number | undefined {
  switch (type) {
    case 'FINITE':
      return value ?? undefined;
    case 'INF_POS':
      return Infinity;
    case 'INF_NEG':
      return -Infinity;
    case 'NAN':
      return NaN;
    default:
      return undefined;
  }
}
