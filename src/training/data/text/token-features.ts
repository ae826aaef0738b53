/**
 * What a token looks like, each told by a letter before it: the word itself, its shape (`Xx`, `d-x`; runs of a kind are one), its
 * first and its last three characters. They tell much of words that training never saw.
 */
export function featuresOf(token: string, lowercase: boolean, affixes: boolean): string[] {
  const lower = token.toLowerCase();
  const word = `w:${lowercase ? lower : token}`;
  if (!affixes) return [word];
  return [word, `s:${shapeOf(token)}`, `p:${lower.slice(0, 3)}`, `e:${lower.slice(-3)}`];
}

/** Names of these features, in order. */
export function featureNames(affixes: boolean): string[] {
  return affixes ? ['word', 'shape', 'prefix', 'suffix'] : ['word'];
}

function shapeOf(token: string): string {
  return token
    .replace(/\p{Lu}+/gu, 'X')
    .replace(/[\p{Ll}\p{Lo}]+/gu, 'x')
    .replace(/\p{N}+/gu, 'd')
    .slice(0, 8);
}
