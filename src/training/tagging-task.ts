import { entitiesOf } from './entities.js';
import type { Sums, Task } from './task.js';
import type { MetricDescription } from './trainer.js';

const ofTheFit = (name: string): string =>
  `The same as val_${name} on the training part, over the course of the epoch.`;

/** Metrics of every tagger. */
export const taggingMetrics: readonly MetricDescription[] = [
  {
    name: 'val_entity_f1',
    goal: 'maximize',
    summary: 'F1 of whole entities on the validation part, all types together, counted as conlleval and seqeval do.',
  },
  { name: 'val_entity_precision', goal: 'maximize', summary: 'Share of the entities found that are right.' },
  { name: 'val_entity_recall', goal: 'maximize', summary: 'Share of the entities there that are found.' },
  { name: 'val_macro_f1', goal: 'maximize', summary: 'F1 of entities on the validation part, the mean over types.' },
  { name: 'val_accuracy', goal: 'maximize', summary: 'Share of the validation part’s tokens with the right tag.' },
  { name: 'val_loss', goal: 'minimize', summary: 'Cross-entropy per token on the validation part, in nats.' },
  { name: 'entity_f1', goal: 'maximize', summary: ofTheFit('entity_f1') },
  { name: 'entity_precision', goal: 'maximize', summary: ofTheFit('entity_precision') },
  { name: 'entity_recall', goal: 'maximize', summary: ofTheFit('entity_recall') },
  { name: 'macro_f1', goal: 'maximize', summary: ofTheFit('macro_f1') },
  { name: 'accuracy', goal: 'maximize', summary: ofTheFit('accuracy') },
  { name: 'loss', goal: 'minimize', summary: ofTheFit('loss') },
];

export interface TaggingOptions {
  /** Number of each token's tag, sentence by sentence. */
  readonly sentences: readonly Int32Array[];
  /** Names of the tags, `O` first. */
  readonly tags: readonly string[];
  /** Places of a sentence that the model sees; tokens beyond are taken to be tagged O. */
  readonly length: number;
  /** Weight of each tag in what is learnt from; absent: all alike. */
  readonly weights?: Float64Array | undefined;
}

/**
 * A tag for each token: softmax cross-entropy over the tokens of all sentences. Sums: loss, tokens seen, tokens, right ones; then for
 * each type of entity: found, there, and right.
 */
export function createTaggingTask({ sentences, tags, length, weights }: TaggingOptions): Task {
  const types = [...new Set(tags.flatMap((tag) => entitiesOf([tag]).map(({ type }) => type)))].sort();
  const typeNumbers = new Map(types.map((type, index) => [type, index]));
  const width = tags.length;
  const name = (tag: number): string => tags[tag] ?? 'O';
  const countEntities = (truth: Int32Array, found: Int32Array, sums: Sums): void => {
    const add = (type: string, column: number): void => {
      const at = 4 + 3 * (typeNumbers.get(type) ?? 0) + column;
      sums[at] = (sums[at] ?? 0) + 1;
    };
    const there = entitiesOf(Array.from(truth, name));
    const keys = new Set(there.map(({ type, start, end }) => `${type} ${start} ${end}`));
    for (const { type } of there) add(type, 1);
    for (const { type, start, end } of entitiesOf(Array.from(found, name))) {
      add(type, 0);
      if (keys.has(`${type} ${start} ${end}`)) add(type, 2);
    }
  };
  return {
    outputs: length * width,
    newSums: () => new Array<number>(4 + 3 * types.length).fill(0),
    judge: (outputs, rows, sums, gradient) => {
      let seen = 0;
      for (const row of rows) seen += Math.min(length, sentences[row]?.length ?? 0);
      let [total, weighted, right, tokens] = [0, 0, 0, 0];
      rows.forEach((row, index) => {
        const truth = sentences[row] ?? new Int32Array();
        const found = new Int32Array(truth.length);
        tokens += truth.length;
        for (let place = 0; place < truth.length; place++) {
          const label = truth[place] ?? 0;
          if (place < length) {
            const start = (index * length + place) * width;
            const best = highest(outputs, start, width);
            const top = outputs[start + best] ?? 0;
            let mass = 0;
            for (let k = 0; k < width; k++) mass += Math.exp((outputs[start + k] ?? 0) - top);
            const loss = Math.log(mass) + top - (outputs[start + label] ?? 0);
            const weight = weights?.[label] ?? 1;
            total += loss;
            weighted += weight * loss;
            found[place] = best;
            for (let k = 0; gradient !== undefined && k < width; k++) {
              const probability = Math.exp((outputs[start + k] ?? 0) - top) / mass;
              gradient[start + k] = (weight / seen) * (probability - (k === label ? 1 : 0));
            }
          }
          if (found[place] === label) right++;
        }
        countEntities(truth, found, sums);
      });
      [total, seen, tokens, right].forEach((value, index) => {
        sums[index] = (sums[index] ?? 0) + value;
      });
      return weighted / seen;
    },
    metricsOf,
  };
}

function highest(outputs: Float32Array, start: number, width: number): number {
  let best = 0;
  for (let k = 1; k < width; k++) {
    if ((outputs[start + k] ?? 0) > (outputs[start + best] ?? 0)) best = k;
  }
  return best;
}

/** Where nothing is found or there, precision, recall and F1 are 0, as seqeval gives them. */
function metricsOf(sums: Sums): Record<string, number> {
  const [loss = 0, seen = 0, tokens = 0, right = 0, ...counts] = sums;
  const share = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);
  const f1 = (found: number, there: number, correct: number): number => share(2 * correct, found + there);
  let [found, there, correct, f1Sum, types] = [0, 0, 0, 0, 0];
  for (let at = 0; at < counts.length; at += 3) {
    const [a = 0, b = 0, c = 0] = counts.slice(at, at + 3);
    [found, there, correct] = [found + a, there + b, correct + c];
    if (a + b === 0) continue;
    f1Sum += f1(a, b, c);
    types++;
  }
  return {
    loss: loss / seen,
    accuracy: right / tokens,
    entity_precision: share(correct, found),
    entity_recall: share(correct, there),
    entity_f1: f1(found, there, correct),
    macro_f1: share(f1Sum, types),
  };
}
