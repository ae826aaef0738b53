import type { Sums, Task } from './task.js';

export interface ClassificationOptions {
  readonly labels: Int32Array;
  readonly classes: number;
  /** Weight of each class in the loss that is learnt from; absent: all alike. Metrics are never weighted. */
  readonly weights?: Float64Array | undefined;
}

/**
 * One of several classes: softmax cross-entropy of logits. Sums: loss, then the confusion matrix (true class × predicted class).
 */
export function createClassificationTask({ labels, classes, weights }: ClassificationOptions): Task {
  return {
    outputs: classes,
    newSums: () => new Array<number>(1 + classes * classes).fill(0),
    judge: (outputs, rows, sums, gradient) => {
      let total = 0;
      let weighted = 0;
      for (let row = 0, start = 0; row < rows.length; row++, start += classes) {
        const label = labels[rows[row] ?? 0] ?? 0;
        let predicted = 0;
        for (let k = 1; k < classes; k++) {
          if ((outputs[start + k] ?? 0) > (outputs[start + predicted] ?? 0)) predicted = k;
        }
        const highest = outputs[start + predicted] ?? 0;
        let mass = 0;
        for (let k = 0; k < classes; k++) mass += Math.exp((outputs[start + k] ?? 0) - highest);
        const loss = Math.log(mass) + highest - (outputs[start + label] ?? 0);
        const weight = weights?.[label] ?? 1;
        total += loss;
        weighted += weight * loss;
        const cell = 1 + label * classes + predicted;
        sums[cell] = (sums[cell] ?? 0) + 1;
        if (gradient === undefined) continue;
        const share = weight / rows.length;
        for (let k = 0; k < classes; k++) {
          const probability = Math.exp((outputs[start + k] ?? 0) - highest) / mass;
          gradient[start + k] = share * (probability - (k === label ? 1 : 0));
        }
      }
      sums[0] = (sums[0] ?? 0) + total;
      return weighted / rows.length;
    },
    metricsOf: (sums) => classificationMetrics(sums, classes),
  };
}

function classificationMetrics(sums: Sums, classes: number): Record<string, number> {
  const at = (label: number, predicted: number): number => sums[1 + label * classes + predicted] ?? 0;
  let rows = 0;
  let correct = 0;
  let f1 = 0;
  let present = 0;
  for (let k = 0; k < classes; k++) {
    let actual = 0;
    let predicted = 0;
    for (let other = 0; other < classes; other++) {
      actual += at(k, other);
      predicted += at(other, k);
    }
    rows += actual;
    correct += at(k, k);
    // As in scikit-learn: classes that neither occur nor are predicted do not count.
    if (actual + predicted === 0) continue;
    present++;
    f1 += (2 * at(k, k)) / (actual + predicted);
  }
  return { loss: (sums[0] ?? 0) / rows, accuracy: correct / rows, macro_f1: f1 / present };
}

/** Weights inverse to the classes' frequencies among `rows`, 1 on average over those rows. */
export function balancedWeights(labels: Int32Array, classes: number, rows: Int32Array): Float64Array {
  const counts = new Float64Array(classes);
  for (const row of rows) {
    const label = labels[row] ?? 0;
    counts[label] = (counts[label] ?? 0) + 1;
  }
  const present = counts.filter((n) => n > 0).length;
  return counts.map((n) => (n > 0 ? rows.length / (present * n) : 0));
}
