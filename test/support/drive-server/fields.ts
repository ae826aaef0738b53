/** A `fields` parameter that Drive would refuse. */
export class FieldsError extends Error {}

type Mask = Map<string, Mask> | '*';

/** Reads `a,b(c,d),e/f`. @throws FieldsError */
function parse(text: string): Mask {
  let at = 0;
  const list = (): Map<string, Mask> => {
    const mask = new Map<string, Mask>();
    for (;;) {
      const [name] = /^[A-Za-z0-9*]+/.exec(text.slice(at)) ?? [];
      if (name === undefined) throw new FieldsError(`Invalid field selection ${text.slice(at)}`);
      at += name.length;
      if (text[at] === '(') {
        at++;
        mask.set(name, list());
        if (text[at++] !== ')') throw new FieldsError('Invalid field selection: ) is missing');
      } else if (text[at] === '/') {
        at++;
        const inner = new Map<string, Mask>();
        const start = at;
        const [next] = /^[A-Za-z0-9*]+/.exec(text.slice(at)) ?? [];
        if (next === undefined) throw new FieldsError(`Invalid field selection ${text.slice(start)}`);
        at += next.length;
        inner.set(next, '*');
        mask.set(name, inner);
      } else mask.set(name, '*');
      if (text[at] !== ',') return mask;
      at++;
    }
  };
  const mask = list();
  if (at < text.length) throw new FieldsError(`Invalid field selection ${text.slice(at)}`);
  return mask;
}

/** The chosen part of a document. `known`: names that the resource has, by path; others are refused. @throws FieldsError */
export function select(document: unknown, fields: string, known: readonly string[]): unknown {
  const apply = (value: unknown, mask: Mask, path: string): unknown => {
    if (mask === '*') return value;
    if (Array.isArray(value)) return value.map((entry) => apply(entry, mask, path));
    const chosen: Record<string, unknown> = {};
    for (const [name, inner] of mask) {
      if (name === '*') return value;
      const place = path === '' ? name : `${path}.${name}`;
      if (!known.includes(place)) throw new FieldsError(`Invalid field selection ${name}`);
      const found = (value as Record<string, unknown> | undefined)?.[name];
      const part = apply(found, inner, place);
      if (found !== undefined) chosen[name] = part;
    }
    return chosen;
  };
  return apply(document, parse(fields), '');
}
