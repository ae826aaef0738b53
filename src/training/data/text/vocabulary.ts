/** Number of what stands behind the end of a text, and of a word that the vocabulary does not have. */
export const PADDING = 0;
export const UNKNOWN = 1;
/** Number of the vocabulary's first word. */
export const FIRST_WORD = 2;

/** Words and their numbers. */
export interface Vocabulary {
  readonly words: readonly string[];
  /** Numbers there are: of words, unknown ones, and padding. */
  readonly size: number;
  readonly numberOf: (word: string) => number;
}

/** The most frequent words of these texts (of equal ones the first in order), each at least `least` times. */
export function buildVocabulary(texts: Iterable<readonly string[]>, most: number, least: number): Vocabulary {
  const counts = new Map<string, number>();
  for (const words of texts) {
    for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  const words = [...counts]
    .filter(([, count]) => count >= least)
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    .slice(0, most)
    .map(([word]) => word);
  const numbers = new Map(words.map((word, index) => [word, index + FIRST_WORD]));
  return { words, size: words.length + FIRST_WORD, numberOf: (word) => numbers.get(word) ?? UNKNOWN };
}

export const UNITS = ['words', 'characters'] as const;

/** Divides a text: into words (runs of letters and digits, and every other sign by itself), or into characters. */
export function divide(text: string, unit: (typeof UNITS)[number], lowercase: boolean): string[] {
  const shown = lowercase ? text.toLowerCase() : text;
  return unit === 'characters' ? Array.from(shown) : (shown.match(/[\p{L}\p{N}]+|[^\s\p{L}\p{N}]/gu) ?? []);
}
