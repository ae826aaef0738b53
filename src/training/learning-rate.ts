export const SCHEDULES = ['constant', 'cosine', 'linear', 'step', 'exponential'] as const;
export type Schedule = (typeof SCHEDULES)[number];

export interface LearningRateOptions {
  readonly learningRate: number;
  readonly schedule: Schedule;
  readonly epochs: number;
  /** Epochs over which the rate rises from near 0 to its full height. */
  readonly warmupEpochs: number;
  /** Of step and exponential: the factor by which the rate falls within `decayEpochs`. */
  readonly decay: number;
  readonly decayEpochs: number;
}

/** Learning rate at a moment of the training, `epoch` counted from 0 with fractions. Cosine and linear fall to 0 at the end. */
export function learningRateAt(options: LearningRateOptions, epoch: number): number {
  const { learningRate, schedule, epochs, warmupEpochs, decay, decayEpochs } = options;
  if (epoch < warmupEpochs) return (learningRate * (epoch + 1e-3)) / (warmupEpochs + 1e-3);
  const since = epoch - warmupEpochs;
  const progress = Math.min(1, since / Math.max(epochs - warmupEpochs, 1e-9));
  switch (schedule) {
    case 'constant':
      return learningRate;
    case 'cosine':
      // Loshchilov & Hutter 2017 (SGDR), equation 5, without restarts.
      return (learningRate * (1 + Math.cos(Math.PI * progress))) / 2;
    case 'linear':
      return learningRate * (1 - progress);
    case 'step':
      // A step's edge is reached by a quotient of whole numbers, which may fall short of it by a rounding error.
      return learningRate * decay ** Math.floor(since / decayEpochs + 1e-9);
    case 'exponential':
      return learningRate * decay ** (since / decayEpochs);
  }
}
