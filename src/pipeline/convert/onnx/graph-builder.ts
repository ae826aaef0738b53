import type { AttributeValue, OnnxGraph, OnnxNode, OnnxTensor, OnnxValue } from './onnx-model.js';

/** Where the channels of the current value stand: tables and texts have no other place than the last. */
export type Layout = 'last' | 'first';

/**
 * A graph that grows layer by layer along one value. Shapes are without the batch, in TensorFlow's order (channels last), whatever
 * order the value itself has; operators of ONNX want the channels first, so a transposition stands only where the order changes.
 */
export class GraphBuilder {
  readonly #nodes: OnnxNode[] = [];
  readonly #initializers: OnnxTensor[] = [];
  readonly #counts = new Map<string, number>();
  readonly #output: string;
  #value: string;
  #layout: Layout = 'last';
  #shape: readonly number[];

  /** `output`: the name that `finish` gives to the last value; no operator may have it. */
  constructor(input: string, output: string, shape: readonly number[]) {
    for (const name of [input, output]) this.#counts.set(name, 1);
    this.#output = output;
    this.#value = input;
    this.#shape = shape;
  }

  /** Name of the current value. */
  get value(): string {
    return this.#value;
  }

  /** Its shape without the batch, channels last. */
  get shape(): readonly number[] {
    return this.#shape;
  }

  get layout(): Layout {
    return this.#layout;
  }

  /** Adds a weight or constant and returns its name. */
  constant(name: string, shape: readonly number[], data: Float32Array | BigInt64Array): string {
    const unique = this.#unique(name);
    this.#initializers.push({ name: unique, shape, data });
    return unique;
  }

  /** Adds an operator on given values; returns the name of its (first) output. */
  node(
    op: string,
    name: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, AttributeValue>> = {},
  ): string {
    const unique = this.#unique(name);
    this.#nodes.push({ op, name: unique, inputs, outputs: [unique], attributes });
    return unique;
  }

  /** Adds an operator on the current value, whose output becomes the current one. */
  apply(
    op: string,
    name: string,
    others: readonly string[] = [],
    attributes: Readonly<Record<string, AttributeValue>> = {},
  ): void {
    this.#value = this.node(op, name, [this.#value, ...others], attributes);
  }

  /** Says what the current value is from now on. */
  become(change: { readonly value?: string; readonly shape?: readonly number[]; readonly layout?: Layout }): void {
    this.#value = change.value ?? this.#value;
    this.#shape = change.shape ?? this.#shape;
    this.#layout = change.layout ?? this.#layout;
  }

  /** Brings the current value into an order; nothing to do for a value without places. */
  arrange(layout: Layout): void {
    if (this.#layout === layout || this.#shape.length < 2) {
      this.#layout = layout;
      return;
    }
    const places = this.#shape.length - 1;
    const spatial = Array.from({ length: places }, (_, index) => index + (layout === 'first' ? 1 : 2));
    const order = layout === 'first' ? [0, places + 1, ...spatial] : [0, ...spatial, 1];
    this.apply('Transpose', `channels_${layout}`, [], { perm: order });
    this.#layout = layout;
  }

  /** The graph, with the current value as its output. */
  finish(name: string, input: OnnxValue): OnnxGraph {
    this.arrange('last');
    const output = this.#output;
    this.#nodes.push({
      op: 'Identity',
      name: this.#unique(`${output}_identity`),
      inputs: [this.#value],
      outputs: [output],
    });
    return {
      name,
      nodes: this.#nodes,
      initializers: this.#initializers,
      inputs: [input],
      outputs: [{ name: output, type: 'float', shape: ['batch', ...this.#shape] }],
    };
  }

  #unique(name: string): string {
    const count = this.#counts.get(name) ?? 0;
    this.#counts.set(name, count + 1);
    return count === 0 ? name : `${name}_${count}`;
  }
}
