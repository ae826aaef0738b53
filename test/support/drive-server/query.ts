/** What a query looks at. */
export interface QueryItem {
  readonly name: string;
  readonly mimeType: string;
  readonly parents: readonly string[];
  readonly trashed: boolean;
  readonly createdTime: string;
  readonly modifiedTime: string;
  readonly appProperties: Readonly<Record<string, string>>;
  readonly properties: Readonly<Record<string, string>>;
}

export type Query = (item: QueryItem) => boolean;

/** A query that Drive would refuse. */
export class QueryError extends Error {}

type Token = { readonly kind: 'word' | 'text' | 'operator' | 'mark'; readonly value: string };

function tokens(q: string): Token[] {
  const found: Token[] = [];
  let at = 0;
  while (at < q.length) {
    const rest = q.slice(at);
    const space = /^\s+/.exec(rest);
    if (space !== null) {
      at += space[0].length;
      continue;
    }
    const text = /^'((?:[^'\\]|\\['\\])*)'/.exec(rest);
    const operator = /^(?:!=|<=|>=|=|<|>)/.exec(rest);
    const word = /^[A-Za-z]+/.exec(rest);
    const mark = /^[(){}]/.exec(rest);
    const match = text ?? operator ?? word ?? mark;
    if (match === null) throw new QueryError(`Invalid Value at ${at}`);
    if (text !== null) found.push({ kind: 'text', value: (text[1] ?? '').replace(/\\(['\\])/g, '$1') });
    else if (operator !== null) found.push({ kind: 'operator', value: match[0] });
    else found.push({ kind: word === null ? 'mark' : 'word', value: match[0] });
    at += match[0].length;
  }
  return found;
}

/** Reads a query of `files.list`. Anything that is not understood is refused, never ignored. @throws QueryError */
export function parseQuery(q: string): Query {
  const all = tokens(q);
  let at = 0;
  const take = (): Token => {
    const token = all[at++];
    if (token === undefined) throw new QueryError('Invalid Value: the query ends too early');
    return token;
  };
  const expect = (kind: Token['kind'], value?: string): string => {
    const token = take();
    if (token.kind !== kind || (value !== undefined && token.value !== value))
      throw new QueryError(`Invalid Value near "${token.value}"`);
    return token.value;
  };
  const peek = (value: string): boolean => all[at]?.value === value && all[at]?.kind !== 'text';

  const comparison = (field: 'name' | 'mimeType' | 'createdTime' | 'modifiedTime'): Query => {
    const token = take();
    const operator = token.value;
    const value = expect('text');
    // Drive compares names without regard to case.
    const same = (text: string): boolean => text.toLowerCase() === value.toLowerCase();
    if (operator === '=') return (item) => same(item[field]);
    if (operator === '!=') return (item) => !same(item[field]);
    if (field === 'name' && operator === 'contains')
      return (item) =>
        item.name
          .toLowerCase()
          .split(/[^\p{L}\p{N}]+/u)
          .some((part) => part.startsWith(value.toLowerCase()));
    if (field === 'mimeType' && operator === 'contains') return (item) => item.mimeType.startsWith(value);
    if (field.endsWith('Time') && ['<', '<=', '>', '>='].includes(operator)) {
      const limit = Date.parse(value);
      if (Number.isNaN(limit)) throw new QueryError(`Invalid Value: ${value}`);
      const holds = {
        '<': (t: number) => t < limit,
        '<=': (t: number) => t <= limit,
        '>': (t: number) => t > limit,
        '>=': (t: number) => t >= limit,
      };
      return (item) => holds[operator as keyof typeof holds](Date.parse(item[field]));
    }
    throw new QueryError(`Invalid Value: ${field} ${operator}`);
  };

  const term = (): Query => {
    if (peek('(')) {
      take();
      const inner = either();
      expect('mark', ')');
      return inner;
    }
    const token = take();
    if (token.kind === 'text') {
      expect('word', 'in');
      const where = expect('word');
      if (where !== 'parents') throw new QueryError(`Invalid Value: in ${where}`);
      return (item) => item.parents.includes(token.value);
    }
    if (token.kind !== 'word') throw new QueryError(`Invalid Value near "${token.value}"`);
    switch (token.value) {
      case 'not': {
        const inner = term();
        return (item) => !inner(item);
      }
      case 'trashed': {
        const isEqual = expect('operator') === '=';
        const value = expect('word');
        if (value !== 'true' && value !== 'false') throw new QueryError(`Invalid Value: ${value}`);
        return (item) => (item.trashed === (value === 'true')) === isEqual;
      }
      case 'name':
      case 'mimeType':
      case 'createdTime':
      case 'modifiedTime':
        return comparison(token.value);
      case 'appProperties':
      case 'properties': {
        const field = token.value;
        expect('word', 'has');
        expect('mark', '{');
        expect('word', 'key');
        expect('operator', '=');
        const key = expect('text');
        expect('word', 'and');
        expect('word', 'value');
        expect('operator', '=');
        const value = expect('text');
        expect('mark', '}');
        return (item) => item[field][key] === value;
      }
      default:
        throw new QueryError(`Invalid Value: ${token.value}`);
    }
  };

  const all_ = (): Query => {
    const terms = [term()];
    while (peek('and')) {
      take();
      terms.push(term());
    }
    return (item) => terms.every((holds) => holds(item));
  };
  const either = (): Query => {
    const terms = [all_()];
    while (peek('or')) {
      take();
      terms.push(all_());
    }
    return (item) => terms.some((holds) => holds(item));
  };

  const query = either();
  if (at < all.length) throw new QueryError(`Invalid Value near "${all[at]?.value ?? ''}"`);
  return query;
}
