import { UsageError } from '../core/errors.js';
import { nearestName } from '../core/nearest-name.js';
import { areaUnderCurve } from './area-under-curve.js';
import type { Sums, Task } from './task.js';
import type { MetricDescription } from './trainer.js';

/** Metrics of every classifier. */
export const classificationMetrics: readonly MetricDescription[] = [
  { name: 'val_accuracy', goal: 'maximize', summary: 'Share of the validation part that is classified rightly.' },
  { name: 'val_loss', goal: 'minimize', summary: 'Cross-entropy on the validation part, in nats.' },
  { name: 'val_macro_f1', goal: 'maximize', summary: 'F1 on the validation part, the mean over classes.' },
  {
    name: 'val_auc',
    goal: 'maximize',
    summary:
      'Area under the ROC curve on the validation part: of the second of two classes, else the mean of each class against the others.',
  },
  { name: 'accuracy', goal: 'maximize', summary: 'Share of the training part, over the course of the epoch.' },
  { name: 'loss', goal: 'minimize', summary: 'Cross-entropy on the training part, over the course of the epoch.' },
  { name: 'macro_f1', goal: 'maximize', summary: 'F1 on the training part, over the course of the epoch.' },
];

export interface ClassificationOptions {
  readonly labels: Int32Array;
  readonly classes: number;
  /** Weight of each class in the loss that is learnt from; absent: all alike. Metrics are never weighted. */
  readonly weights?: Float64Array | undefined;
}

/**
 * One of several classes: softmax cross-entropy of logits. Sums: loss, then the confusion matrix (true class × predicted class);
 * where rows are only judged, behind it the class and the probabilities of each, for the area under the curve.
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
        const share = weight / rows.length;
        if (gradient === undefined) sums.push(label);
        for (let k = 0; k < classes; k++) {
          const probability = Math.exp((outputs[start + k] ?? 0) - highest) / mass;
          if (gradient === undefined) sums.push(probability);
          else gradient[start + k] = share * (probability - (k === label ? 1 : 0));
        }
      }
      sums[0] = (sums[0] ?? 0) + total;
      return weighted / rows.length;
    },
    metricsOf: (sums) => metricsOf(sums, classes),
  };
}

function metricsOf(sums: Sums, classes: number): Record<string, number> {
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
  const metrics = { loss: (sums[0] ?? 0) / rows, accuracy: correct / rows, macro_f1: f1 / present };
  const scored = 1 + classes * classes;
  return sums.length > scored ? { ...metrics, auc: meanAreaUnderCurve(sums, scored, classes) } : metrics;
}

/** Of the second of two classes; of more, the mean over those that occur, each against all others (scikit-learn's `ovr`, macro). */
function meanAreaUnderCurve(sums: Sums, from: number, classes: number): number {
  const rows = (sums.length - from) / (classes + 1);
  const areas = Array.from({ length: classes }, (_, k) => k).slice(classes === 2 ? 1 : 0);
  let total = 0;
  let present = 0;
  for (const k of areas) {
    const scores = new Float64Array(rows);
    const isPositive = new Uint8Array(rows);
    for (let row = 0, at = from; row < rows; row++, at += classes + 1) {
      scores[row] = sums[at + 1 + k] ?? 0;
      isPositive[row] = sums[at] === k ? 1 : 0;
    }
    const area = areaUnderCurve(scores, isPositive);
    if (Number.isNaN(area)) continue;
    total += area;
    present++;
  }
  return present === 0 ? NaN : total / present;
}

/** Weights as configured. @throws UsageError for a class that is not there. */
export function classWeights(
  setting: 'none' | 'balanced' | Readonly<Record<string, number>>,
  labels: Int32Array,
  classes: readonly string[],
  rows: Int32Array,
): Float64Array | undefined {
  if (setting === 'none') return undefined;
  if (setting === 'balanced') return balancedWeights(labels, classes.length, rows);
  for (const name of Object.keys(setting)) {
    if (classes.includes(name)) continue;
    const near = nearestName(name, classes);
    throw new UsageError(`class_weight: there is no class "${name}"; there are ${classes.slice(0, 20).join(', ')}.`, {
      ...(near === undefined ? {} : { hint: `Did you mean "${near}"?` }),
    });
  }
  return Float64Array.from(classes, (name) => setting[name] ?? 1);
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
