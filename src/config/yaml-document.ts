import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  YAMLMap,
  type Document,
  type Node,
  type Pair,
  type Scalar,
} from 'yaml';

import type { ConfigProblem } from './config-error.js';
import { SecretTexts, substitute } from './environment-variables.js';

export type KeyPath = readonly (string | number)[];

/** Where something stands and what is written there. */
export interface Location {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
  /** Text of the value as written, `${NAME}` unresolved; absent where nothing stands at this path. */
  readonly found?: string;
}

/** Keys that may be a word alone, and what the word is short for: needed where `--set` goes below such a word. */
const SHORTHANDS: Readonly<Record<string, string>> = { sampler: 'type', pruner: 'type', storage: 'url' };

/** `scheme://user:password@`, where the password is no variable. */
const PASSWORD_IN_URL = /^([a-z][a-z0-9+]*:\/\/[^\s/:@]*):(?!\$\{)[^\s/@]+@/i;

/** A YAML text whose every value still knows its place. Variables are put in when values are read, never in the document. */
export class ConfigDocument {
  readonly file: string;
  readonly problems: ConfigProblem[] = [];
  /** Values of the variables that were put in. */
  readonly secrets = new SecretTexts();
  readonly #document: Document.Parsed;
  readonly #lines = new LineCounter();
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #setKeys: string[] = [];
  readonly #literalPaths: ReadonlySet<string>;

  /**
   * @param literalKeys dotted keys below which `${…}` is left as it is (placeholders of a command).
   * What is wrong with the text is in `problems`, never thrown.
   */
  constructor(
    text: string,
    file: string,
    env: Readonly<Record<string, string | undefined>>,
    literalKeys: readonly string[],
  ) {
    this.file = file;
    this.#env = env;
    this.#literalPaths = new Set(literalKeys);
    this.#document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false });
    for (const error of this.#document.errors) {
      const { line, col } = this.#lines.linePos(error.pos[0]);
      const key = error.code === 'DUPLICATE_KEY' ? keyAt(text, error.pos[0]) : '';
      const message =
        error.code === 'DUPLICATE_KEY' ? 'stands twice in the same mapping; keep one of them.' : syntaxMessage(error);
      this.problems.push({ file, line, column: col, key, message });
    }
  }

  /** Whether the text can be read at all. */
  get readable(): boolean {
    return this.#document.errors.every((error) => error.code === 'DUPLICATE_KEY');
  }

  /** The text with everything from `set` in it, comments and `${NAME}` kept. */
  toText(): string {
    return this.#setKeys.length === 0 && this.#document.range[1] === 0
      ? ''
      : this.#document.toString({ lineWidth: 120 });
  }

  /** Puts a value, itself YAML, at a dotted key. */
  set(assignment: string): void {
    const at = assignment.indexOf('=');
    const key = assignment.slice(0, at).trim();
    const path = key.split('.');
    const problem = (message: string): void => {
      this.problems.push({ file: `--set ${at <= 0 ? assignment : key}`, key: at <= 0 ? '' : key, message });
    };
    if (at <= 0 || path.includes('')) {
      problem('needs the form dotted.key=value, such as sampler.seed=7.');
      return;
    }
    const value = parseDocument(assignment.slice(at + 1), { prettyErrors: false });
    const error = value.errors[0];
    if (error !== undefined) {
      problem(`its value is ${syntaxMessage(error)}`);
      return;
    }
    for (let length = 1; length < path.length; length++) {
      const prefix = path.slice(0, length);
      const node = this.#nodeAt(prefix);
      if (node === undefined || isMap(node) || isSeq(node)) continue;
      const member = SHORTHANDS[prefix.join('.')];
      if (isScalar(node) && node.value === null) {
        this.#document.setIn(prefix, new YAMLMap());
      } else if (isScalar(node) && member !== undefined) {
        const map = new YAMLMap();
        map.set(member, node);
        this.#document.setIn(prefix, map);
      } else {
        problem(`${prefix.join('.')} is a single value, so nothing can be set below it.`);
        return;
      }
    }
    this.#document.setIn(
      path.map((part, index) => (isSeq(this.#nodeAt(path.slice(0, index))) ? Number(part) : part)),
      value.contents ?? this.#document.createNode(null),
    );
    this.#setKeys.push(key);
  }

  /** The whole content as plain values, variables put in. */
  toValue(): unknown {
    return this.#valueOf(this.#document.contents, []);
  }

  /** Whether the number at a path is written with a point or an exponent: 1.0 is a float although JavaScript cannot tell it from 1. */
  isWrittenAsFloat(path: KeyPath): boolean {
    const node = this.#nodeAt(path);
    return isScalar(node) && typeof node.value === 'number' && /[.eE]/.test(node.source ?? '');
  }

  /** Paths of texts such as `postgresql://user:password@host` with the password written out. */
  plainPasswords(): readonly KeyPath[] {
    const found: KeyPath[] = [];
    const look = (node: unknown, path: KeyPath): void => {
      if (isMap(node)) for (const item of node.items) look(item.value, [...path, keyText(item.key)]);
      else if (isSeq(node))
        node.items.forEach((item, index) => {
          look(item, [...path, index]);
        });
      else if (isScalar(node) && typeof node.value === 'string' && PASSWORD_IN_URL.test(node.value)) found.push(path);
    };
    look(this.#document.contents, []);
    return found;
  }

  /** The path of a dotted key: names that hold dots themselves are told by what is there. */
  pathOfKey(dotted: string): KeyPath {
    const path: (string | number)[] = [];
    let rest = dotted.split('.');
    while (rest.length > 0 && rest[0] !== '') {
      const length = rest.findLastIndex((_, index) => this.#nodeAt([...path, rest.slice(0, index + 1).join('.')])) + 1;
      path.push(rest.slice(0, Math.max(1, length)).join('.'));
      rest = rest.slice(Math.max(1, length));
    }
    return path;
  }

  /** Place of a path, or of the nearest thing above it that exists. */
  locate(path: KeyPath): Location {
    const dotted = path.join('.');
    const setKey = this.#setKeys.find((key) => dotted === key || dotted.startsWith(`${key}.`));
    const node = this.#nodeAt(path);
    const found = node === undefined ? undefined : describeNode(node);
    const foundPart = found === undefined ? {} : { found };
    if (setKey !== undefined) return { file: `--set ${setKey}`, ...foundPart };
    for (let length = path.length; length >= 0; length--) {
      const offset = this.#offsetOf(path.slice(0, length), length === path.length);
      if (offset === undefined) continue;
      const { line, col } = this.#lines.linePos(offset);
      return { file: this.file, line, column: col, ...foundPart };
    }
    return { file: this.file, line: 1, column: 1, ...foundPart };
  }

  /** Place of the name of a key, not of its value. */
  locateKey(path: KeyPath): Location {
    const location = this.locate(path);
    if (location.line === undefined) return location;
    const offset = this.#pairAt(path)?.key.range?.[0];
    if (offset === undefined) return location;
    const { line, col } = this.#lines.linePos(offset);
    return { ...location, line, column: col };
  }

  #pairAt(path: KeyPath): Pair<Node> | undefined {
    const parent = this.#nodeAt(path.slice(0, -1));
    const key = path.at(-1);
    if (!isMap(parent)) return undefined;
    return parent.items.find((item) => keyText(item.key) === String(key)) as Pair<Node> | undefined;
  }

  #offsetOf(path: KeyPath, preferValue: boolean): number | undefined {
    if (path.length === 0) return this.#document.contents?.range[0] ?? 0;
    const value = this.#nodeAt(path)?.range?.[0];
    const key = this.#pairAt(path)?.key.range?.[0];
    return preferValue ? (value ?? key) : (key ?? value);
  }

  #nodeAt(path: KeyPath): Node | undefined {
    let node: unknown = this.#document.contents;
    for (const part of path) {
      if (isAlias(node)) node = node.resolve(this.#document);
      if (isSeq(node)) node = node.items[Number(part)];
      else if (isMap(node)) {
        node = node.items.find((item) => keyText(item.key) === String(part))?.value;
      } else return undefined;
    }
    if (isAlias(node)) node = node.resolve(this.#document);
    return isMap(node) || isSeq(node) || isScalar(node) ? node : undefined;
  }

  #valueOf(node: unknown, path: KeyPath): unknown {
    if (isAlias(node)) return this.#valueOf(node.resolve(this.#document), path);
    if (isSeq(node)) return node.items.map((item, index) => this.#valueOf(item, [...path, index]));
    if (isMap(node)) {
      return Object.fromEntries(
        node.items.map((item) => {
          const key = keyText(item.key);
          return [key, this.#valueOf(item.value, [...path, key])];
        }),
      );
    }
    if (!isScalar(node)) return null;
    return this.#scalarOf(node, path);
  }

  #scalarOf(node: Scalar, path: KeyPath): unknown {
    if (typeof node.value !== 'string' || this.#isLiteral(path)) return node.value;
    const result = substitute(node.value, this.#env, this.secrets);
    if (result.missing.length > 0) {
      this.problems.push({
        ...this.locate(path),
        key: path.join('.'),
        message: `the environment variable ${result.missing.join(', ')} is not set; set it, or write \${NAME:-default}.`,
      });
      return undefined;
    }
    // Only what stands there without quotes may become a number or a truth value.
    return result.changed && node.type === 'PLAIN' ? plainValue(result.text) : result.text;
  }

  #isLiteral(path: KeyPath): boolean {
    return path.some((_, index) => this.#literalPaths.has(path.slice(0, index + 1).join('.')));
  }
}

function plainValue(text: string): unknown {
  if (/^[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?$/.test(text)) return Number(text);
  if (text === 'true' || text === 'false') return text === 'true';
  return text === 'null' ? null : text;
}

/** What stands at a node, in a few words. */
function describeNode(node: Node): string {
  if (isMap(node)) return node.items.length === 0 ? 'an empty mapping' : 'a mapping';
  if (isSeq(node)) return node.items.length === 0 ? 'an empty list' : 'a list';
  if (!isScalar(node)) return 'an alias';
  if (typeof node.value === 'string') {
    const text = node.value.replace(PASSWORD_IN_URL, '$1:…@');
    return JSON.stringify(text.length > 80 ? `${text.slice(0, 79)}…` : text);
  }
  return node.value === null ? 'nothing' : (node.source ?? JSON.stringify(node.value));
}

/** A key as text; keys that `--set` made are plain. */
function keyText(key: unknown): string {
  return String(isScalar(key) ? key.value : key);
}

function keyAt(text: string, offset: number): string {
  return /^["']?([^"':\n]*)/.exec(text.slice(offset))?.[1]?.trim() ?? '';
}

function syntaxMessage(error: { readonly code: string; readonly message: string }): string {
  if (error.code === 'TAB_AS_INDENT') return 'a tab stands where only spaces may indent.';
  if (error.code === 'MULTIPLE_DOCS') return 'a second document begins here; a configuration is one document.';
  return `not valid YAML: ${error.message.replace(/\s+/g, ' ').replace(/[.:]*$/, '')}.`;
}
