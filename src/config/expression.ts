import jsep from 'jsep';

import type { ParamValue } from '../core/distributions.js';
import { UsageError } from '../core/errors.js';
import { nearestName } from '../core/nearest-name.js';

/** Value of a part of a rule. A list is a repeated parameter (`units` for units_0, units_1, …) or written out (`in [1, 2]`). */
export type ExpressionValue = ParamValue | readonly ParamValue[];
export type Scope = ReadonlyMap<string, ExpressionValue>;

/** A rule such as `layers * units_0 <= 512`: parsed once, evaluated often, never run as code. */
export interface Expression {
  readonly text: string;
  /** Names that it mentions, functions not among them. */
  readonly names: readonly string[];
  /** @throws UsageError for an unknown name or an operation on the wrong kind of value. */
  evaluate(scope: Scope): ExpressionValue;
}

jsep.addBinaryOp('and', 2);
jsep.addBinaryOp('or', 1);
jsep.addBinaryOp('in', 7);
jsep.addUnaryOp('not');
for (const operator of ['|', '^', '&', '<<', '>>', '>>>', '??', '===', '!==']) jsep.removeBinaryOp(operator);
for (const operator of ['~']) jsep.removeUnaryOp(operator);

const FUNCTIONS: Readonly<
  Record<string, { readonly arity: number | 'list'; readonly apply: (...values: number[]) => number }>
> = {
  min: { arity: 'list', apply: Math.min },
  max: { arity: 'list', apply: Math.max },
  sum: { arity: 'list', apply: (...values) => values.reduce((total, value) => total + value, 0) },
  len: { arity: 'list', apply: (...values) => values.length },
  abs: { arity: 1, apply: Math.abs },
  floor: { arity: 1, apply: Math.floor },
  ceil: { arity: 1, apply: Math.ceil },
  round: { arity: 1, apply: Math.round },
  sqrt: { arity: 1, apply: Math.sqrt },
  exp: { arity: 1, apply: Math.exp },
  log: { arity: 1, apply: Math.log },
  log2: { arity: 1, apply: Math.log2 },
  log10: { arity: 1, apply: Math.log10 },
  pow: { arity: 2, apply: Math.pow },
};

const ARITHMETIC: Readonly<Record<string, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
  '**': (a, b) => a ** b,
};

const ORDER: Readonly<Record<string, (a: number | string, b: number | string) => boolean>> = {
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
};

type Compiled = (scope: Scope) => ExpressionValue;

/** @throws UsageError where the text is no expression, or uses a function or an operation that does not exist. */
export function parseExpression(text: string): Expression {
  let tree: jsep.Expression;
  try {
    tree = jsep(text);
  } catch (error) {
    const { description, index } = error as { readonly description?: string; readonly index?: number };
    throw new UsageError(`is no expression: ${description ?? 'it cannot be read'} at character ${(index ?? 0) + 1}`, {
      cause: error,
    });
  }
  const names = new Set<string>();
  const compiled = compile(tree, names);
  return { text, names: [...names], evaluate: (scope) => compiled(scope) };
}

function compile(node: jsep.Expression, names: Set<string>): Compiled {
  switch (node.type) {
    case 'Literal': {
      const value = (node as jsep.Literal).value;
      if (value instanceof RegExp) throw new UsageError('cannot hold a pattern');
      return () => value;
    }
    case 'Identifier':
    case 'MemberExpression': {
      const name = nameOf(node);
      names.add(name);
      return (scope) => {
        const value = scope.get(name);
        if (value === undefined) throw new UsageError(`names ${name}, which has no value here`);
        return value;
      };
    }
    case 'UnaryExpression':
      return compileUnary(node as jsep.UnaryExpression, names);
    case 'BinaryExpression':
      return compileBinary(node as jsep.BinaryExpression, names);
    case 'ConditionalExpression': {
      const { test, consequent, alternate } = node as jsep.ConditionalExpression;
      const [condition, yes, no] = [compile(test, names), compile(consequent, names), compile(alternate, names)];
      return (scope) => (truth(condition(scope)) ? yes(scope) : no(scope));
    }
    case 'ArrayExpression': {
      const items = (node as jsep.ArrayExpression).elements.map((element) => {
        if (element === null) throw new UsageError('has a list with an empty place');
        return compile(element, names);
      });
      return (scope) => items.flatMap((item) => item(scope));
    }
    case 'CallExpression':
      return compileCall(node as jsep.CallExpression, names);
    case 'Compound':
      throw new UsageError('holds several expressions; join them with "and", or write one per line');
    default:
      throw new UsageError(`holds what no rule can (${node.type})`);
  }
}

/** `a`, or `a.b` for a parameter with a point in its name. */
function nameOf(node: jsep.Expression): string {
  if (node.type === 'Identifier') return (node as jsep.Identifier).name;
  const { object, property, computed, optional } = node as jsep.MemberExpression;
  if (node.type !== 'MemberExpression' || computed || optional === true) {
    throw new UsageError('may name parameters only by name, such as units_0 or model.layers');
  }
  return `${nameOf(object)}.${nameOf(property)}`;
}

function compileUnary(node: jsep.UnaryExpression, names: Set<string>): Compiled {
  const argument = compile(node.argument, names);
  switch (node.operator) {
    case '!':
    case 'not':
      return (scope) => !truth(argument(scope));
    case '-':
      return (scope) => -number(argument(scope), '-');
    case '+':
      return (scope) => number(argument(scope), '+');
    default:
      throw new UsageError(`uses the operation ${node.operator}, which does not exist`);
  }
}

function compileBinary(node: jsep.BinaryExpression, names: Set<string>): Compiled {
  const { operator } = node;
  const [left, right] = [compile(node.left, names), compile(node.right, names)];
  const arithmetic = ARITHMETIC[operator];
  if (arithmetic !== undefined) {
    return (scope) => arithmetic(number(left(scope), operator), number(right(scope), operator));
  }
  const order = ORDER[operator];
  if (order !== undefined) {
    return (scope) => {
      const [a, b] = [left(scope), right(scope)];
      if (typeof a === 'string' && typeof b === 'string') return order(a, b);
      return order(number(a, operator), number(b, operator));
    };
  }
  switch (operator) {
    case '&&':
    case 'and':
      return (scope) => truth(left(scope)) && truth(right(scope));
    case '||':
    case 'or':
      return (scope) => truth(left(scope)) || truth(right(scope));
    case '==':
      return (scope) => left(scope) === right(scope);
    case '!=':
      return (scope) => left(scope) !== right(scope);
    case 'in':
      return (scope) => {
        const [value, list] = [left(scope), right(scope)];
        if (!Array.isArray(list)) throw new UsageError('needs a list after "in"');
        return (list as readonly unknown[]).includes(value);
      };
    default:
      throw new UsageError(`uses the operation ${operator}, which does not exist`);
  }
}

function compileCall(node: jsep.CallExpression, names: Set<string>): Compiled {
  const name = node.callee.type === 'Identifier' ? (node.callee as jsep.Identifier).name : '';
  const entry = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
  if (entry === undefined) {
    const known = Object.keys(FUNCTIONS);
    const near = nearestName(name, known);
    throw new UsageError(
      `calls ${name === '' ? 'something that is no function' : `${name}, which does not exist`}; functions are ${known.join(', ')}${near === undefined ? '' : `. Did you mean "${near}"?`}`,
    );
  }
  if (entry.arity === 'list' ? node.arguments.length === 0 : node.arguments.length !== entry.arity) {
    throw new UsageError(
      `calls ${name} with ${node.arguments.length} values; it takes ${entry.arity === 'list' ? 'at least one' : entry.arity}`,
    );
  }
  const values = node.arguments.map((argument) => compile(argument, names));
  return (scope) =>
    entry.apply(
      ...values.flatMap((value) => {
        const result = value(scope);
        return Array.isArray(result)
          ? (result as readonly ParamValue[]).map((item) => (name === 'len' ? 0 : number(item, name)))
          : [name === 'len' ? 0 : number(result, name)];
      }),
    );
}

function number(value: ExpressionValue, operation: string): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  throw new UsageError(`applies ${operation} to ${describe(value)}, which is no number`);
}

function truth(value: ExpressionValue): boolean {
  if (typeof value === 'boolean') return value;
  throw new UsageError(`takes ${describe(value)} for true or false; write a comparison`);
}

function describe(value: ExpressionValue): string {
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}
