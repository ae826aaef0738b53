/**
 * JSON as Python's `json` module reads and writes it, which is what Optuna's databases hold: bare `NaN`,
 * `Infinity` and `-Infinity`, integers of any size, `", "` and `": "` as separators, non-ASCII escaped.
 * Integers beyond 2^53 become `bigint`. The difference between `1.0` and `1` cannot live in a JavaScript
 * number, so whoever must write a text back unchanged keeps that text (distributions and attributes do).
 */
export type JsonValue =
  null | boolean | number | bigint | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const NUMBER_OR_WORD = /-?Infinity|NaN/;

/** @throws SyntaxError with the position, where `text` is not JSON in Python's sense. */
export function parseJson(text: string): JsonValue {
  // The engine's own parser is several times faster; ours is needed only for what it refuses or rounds.
  if (!NUMBER_OR_WORD.test(text) && !/\d{16}/.test(text)) return JSON.parse(text) as JsonValue;
  return new JsonReader(text).document();
}

class JsonReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): JsonValue {
    const value = this.#value();
    this.#space();
    if (this.#at < this.#text.length) throw this.#unexpected();
    return value;
  }

  #unexpected(): SyntaxError {
    const found = this.#text[this.#at];
    return new SyntaxError(
      `Invalid JSON at position ${this.#at}: unexpected ${found === undefined ? 'end of text' : JSON.stringify(found)}`,
    );
  }

  #space(): void {
    while (/[ \t\n\r]/.test(this.#text[this.#at] ?? '')) this.#at++;
  }

  #word(word: string): boolean {
    if (!this.#text.startsWith(word, this.#at)) return false;
    this.#at += word.length;
    return true;
  }

  #value(): JsonValue {
    this.#space();
    switch (this.#text[this.#at]) {
      case '{':
        return this.#object();
      case '[':
        return this.#array();
      case '"':
        return this.#string();
      default:
    }
    if (this.#word('null')) return null;
    if (this.#word('true')) return true;
    if (this.#word('false')) return false;
    if (this.#word('NaN')) return NaN;
    if (this.#word('-Infinity')) return -Infinity;
    if (this.#word('Infinity')) return Infinity;
    return this.#number();
  }

  #number(): number | bigint {
    NUMBER.lastIndex = this.#at;
    const literal = NUMBER.exec(this.#text)?.[0];
    if (literal === undefined) throw this.#unexpected();
    this.#at += literal.length;
    const value = Number(literal);
    return /^-?\d+$/.test(literal) && !Number.isSafeInteger(value) ? BigInt(literal) : value;
  }

  #string(): string {
    const start = this.#at++;
    while (this.#at < this.#text.length && this.#text[this.#at] !== '"')
      this.#at += this.#text[this.#at] === '\\' ? 2 : 1;
    if (this.#at >= this.#text.length) throw this.#unexpected();
    this.#at++;
    return JSON.parse(this.#text.slice(start, this.#at)) as string;
  }

  #array(): JsonValue[] {
    const items: JsonValue[] = [];
    this.#at++;
    this.#space();
    if (this.#word(']')) return items;
    for (;;) {
      items.push(this.#value());
      this.#space();
      if (this.#word(']')) return items;
      if (!this.#word(',')) throw this.#unexpected();
    }
  }

  #object(): Record<string, JsonValue> {
    const entries: [string, JsonValue][] = [];
    this.#at++;
    this.#space();
    if (this.#word('}')) return {};
    for (;;) {
      this.#space();
      if (this.#text[this.#at] !== '"') throw this.#unexpected();
      const key = this.#string();
      this.#space();
      if (!this.#word(':')) throw this.#unexpected();
      entries.push([key, this.#value()]);
      this.#space();
      if (this.#word('}')) return Object.fromEntries(entries);
      if (!this.#word(',')) throw this.#unexpected();
    }
  }
}

/** A double as Python's `repr` prints it: `1.0`, `1e-05`, `1e+22`, `nan` as `NaN`. */
export function floatToJson(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity';
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0';
  const [digits = '', exponentText = '0'] = value.toExponential().split('e');
  const exponent = Number(exponentText);
  // Python switches to an exponent below 1e-4 and from 1e16 on.
  if (exponent < -4 || exponent >= 16) {
    const sign = exponent < 0 ? '-' : '+';
    return `${digits}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`;
  }
  const plain = String(value);
  return plain.includes('.') ? plain : `${plain}.0`;
}

function stringToJson(value: string): string {
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Text as `json.dumps(value)` writes it. Whole numbers are written as integers. @throws TypeError for what JSON cannot hold. */
export function stringifyJson(value: JsonValue): string {
  switch (typeof value) {
    case 'string':
      return stringToJson(value);
    case 'number':
      return Number.isInteger(value) && Math.abs(value) < 1e16 && !Object.is(value, -0)
        ? String(value)
        : floatToJson(value);
    case 'bigint':
    case 'boolean':
      return String(value);
    case 'object':
      if (value === null) return 'null';
      if (Array.isArray(value))
        return `[${(value as readonly JsonValue[]).map((item) => stringifyJson(item)).join(', ')}]`;
      return `{${Object.entries(value)
        .filter(([, item]) => (item as JsonValue | undefined) !== undefined)
        .map(([key, item]) => `${stringToJson(key)}: ${stringifyJson(item)}`)
        .join(', ')}}`;
    default:
      throw new TypeError(`A value of type ${typeof value} cannot be stored as JSON.`);
  }
}

/**
 * JSON that every reader takes, for programs: no bare `NaN` (it is null), and infinities as `1e999`, which JavaScript and Python read as
 * such.
 */
export function strictJson(value: JsonValue): string {
  if (typeof value === 'number' && !Number.isFinite(value))
    return Number.isNaN(value) ? 'null' : value > 0 ? '1e999' : '-1e999';
  if (typeof value !== 'object' || value === null) return stringifyJson(value);
  if (Array.isArray(value)) return `[${(value as readonly JsonValue[]).map(strictJson).join(', ')}]`;
  return `{${Object.entries(value)
    .filter(([, item]) => (item as JsonValue | undefined) !== undefined)
    .map(([key, item]) => `${stringToJson(key)}: ${strictJson(item)}`)
    .join(', ')}}`;
}

/** Canonical JSON for fingerprints: keys sorted at every depth, no spaces. */
export function canonicalJson(value: JsonValue): string {
  if (value !== null && typeof value === 'object') {
    if (Array.isArray(value))
      return `[${(value as readonly JsonValue[]).map((item) => canonicalJson(item)).join(',')}]`;
    return `{${Object.entries(value)
      .filter(([, item]) => (item as JsonValue | undefined) !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
      .map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`)
      .join(',')}}`;
  }
  if (typeof value === 'string') return JSON.stringify(value);
  return stringifyJson(value);
}
