export const ACTIVATIONS = ['relu', 'elu', 'selu', 'gelu', 'swish', 'tanh', 'sigmoid'] as const;
export type Activation = (typeof ACTIVATIONS)[number];

/** Variance of a kernel's first values before this activation: He's for rectifiers, LeCun's for selu, else Glorot's. */
export function varianceFor(activation: Activation | 'linear', fanIn: number, fanOut: number): number {
  switch (activation) {
    case 'relu':
    case 'elu':
    case 'gelu':
    case 'swish':
      return 2 / fanIn;
    case 'selu':
      return 1 / fanIn;
    case 'tanh':
    case 'sigmoid':
    case 'linear':
      return 2 / (fanIn + fanOut);
  }
}
