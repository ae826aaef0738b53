export const SCHEDULES = ['constant', 'cosine', 'linear'] as const;
export type Schedule = (typeof SCHEDULES)[number];

export interface LearningRateOptions {
  readonly learningRate: number;
  readonly schedule: Schedule;
  readonly epochs: number;
  /** Epochs over which the rate rises from near 0 to its full height. */
  readonly warmupEpochs: number;
}

/** Learning rate at a moment of the training, `epoch` counted from 0 with fractions. Falls to 0 at the end unless constant. */
export function learningRateAt(options: LearningRateOptions, epoch: number): number {
  const { learningRate, schedule, epochs, warmupEpochs } = options;
  if (epoch < warmupEpochs) return (learningRate * (epoch + 1e-3)) / (warmupEpochs + 1e-3);
  const progress = Math.min(1, (epoch - warmupEpochs) / Math.max(epochs - warmupEpochs, 1e-9));
  switch (schedule) {
    case 'constant':
      return learningRate;
    case 'cosine':
      // Loshchilov & Hutter 2017 (SGDR), equation 5, without restarts.
      return (learningRate * (1 + Math.cos(Math.PI * progress))) / 2;
    case 'linear':
      return learningRate * (1 - progress);
  }
}
