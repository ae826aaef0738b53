/** Members of a JSON object as they are written, so that `1.0`, `1` and integers of any size stay apart. The text must be valid. */
export function memberTexts(text: string): Map<string, string> {
  const members = new Map<string, string>();
  let at = text.indexOf('{') + 1;
  for (;;) {
    const start = text.indexOf('"', at);
    if (start < 0) return members;
    const end = endOfString(text, start);
    const from = text.indexOf(':', end) + 1;
    const to = endOfValue(text, from);
    members.set(JSON.parse(text.slice(start, end)) as string, text.slice(from, to).trim());
    if (text[to] !== ',') return members;
    at = to + 1;
  }
}

/** The same text with `", "` and `": "` between its parts, as Python's `json.dumps` writes by default. */
export function spacedJson(text: string): string {
  let spaced = '';
  for (let at = 0; at < text.length;) {
    const character = text[at] ?? '';
    if (character === '"') {
      const end = endOfString(text, at);
      spaced += text.slice(at, end);
      at = end;
      continue;
    }
    at++;
    if (character === ',' || character === ':') spaced += `${character} `;
    else if (!/\s/.test(character)) spaced += character;
  }
  return spaced;
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

function endOfValue(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const character = text[at] ?? '';
    if (character === '"') at = endOfString(text, at) - 1;
    else if (character === '{' || character === '[') depth++;
    else if (depth === 0 && (character === ',' || character === '}' || character === ']')) return at;
    else if (character === '}' || character === ']') depth--;
  }
  return text.length;
}
