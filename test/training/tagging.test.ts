import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { loadTaggedData } from '../../src/training/data/text/tagged-data.js';
import { featuresOf } from '../../src/training/data/text/token-features.js';
import { entitiesOf } from '../../src/training/entities.js';
import { createTaggingTask } from '../../src/training/tagging-task.js';
import { dataFile, dataOf, temporaryFolder } from './training-support.js';

const facts = JSON.parse(readFileSync(new URL('../golden/entity-facts.json', import.meta.url), 'utf8')) as {
  tags: string[];
  entities: [string, number, number][];
}[];

describe('entities', () => {
  it('are those that seqeval finds, in all schemes and in tags that break them', () => {
    for (const { tags, entities } of facts) {
      const found = entitiesOf(tags).map(({ type, start, end }) => [type, start, end]);
      expect(found, tags.join(' ')).toEqual(entities);
    }
  });
});

describe('tagging task', () => {
  const tags = ['O', 'B-LOC', 'B-PER', 'I-PER'];
  const numbers = (names: string[]) => Int32Array.from(names, (name) => tags.indexOf(name));
  const sentences = [numbers(['B-PER', 'I-PER', 'O', 'B-LOC']), numbers(['O', 'B-LOC', 'B-PER'])];

  /** Outputs that say these tags for certain. */
  function outputsOf(rows: string[][], length: number): Float32Array {
    const outputs = new Float32Array(rows.length * length * tags.length);
    rows.forEach((row, index) => {
      row.forEach((name, place) => (outputs[(index * length + place) * tags.length + tags.indexOf(name)] = 9));
    });
    return outputs;
  }

  it('counts whole entities, all types together and by type', () => {
    const task = createTaggingTask({ sentences, tags, length: 4 });
    const sums = task.newSums();
    const said = [
      ['B-PER', 'O', 'O', 'B-LOC'],
      ['O', 'B-LOC', 'B-LOC'],
    ];
    task.judge(outputsOf(said, 4), Int32Array.from([0, 1]), sums);
    // There: 2 PER, 2 LOC. Found: 1 PER (too short), 3 LOC, of which 2 are right.
    expect(task.metricsOf(sums)).toMatchObject({
      accuracy: 5 / 7,
      entity_precision: 2 / 4,
      entity_recall: 2 / 4,
      entity_f1: 0.5,
      macro_f1: (0 + 4 / 5) / 2,
    });
  });

  it('takes tokens beyond its length to be tagged O, and learns from those within alone', () => {
    const task = createTaggingTask({ sentences, tags, length: 3 });
    const sums = task.newSums();
    const gradient = new Float32Array(2 * 3 * 4);
    const said = [
      ['B-PER', 'I-PER', 'O'],
      ['O', 'B-LOC', 'B-PER'],
    ];
    task.judge(outputsOf(said, 3), Int32Array.from([0, 1]), sums, gradient);
    expect(task.metricsOf(sums)).toMatchObject({ accuracy: 6 / 7, entity_precision: 1, entity_recall: 3 / 4 });
    expect(Math.max(...gradient.map(Math.abs))).toBeLessThan(0.001);
  });

  it('gives slopes that are those of its loss', () => {
    const weights = Float64Array.from([1, 2, 1, 0.5]);
    const task = createTaggingTask({ sentences, tags, length: 4, weights });
    const outputs = Float32Array.from({ length: 2 * 4 * 4 }, (_, i) => Math.sin(i));
    const rows = Int32Array.from([1, 0]);
    const gradient = new Float32Array(outputs.length);
    task.judge(outputs, rows, task.newSums(), gradient);
    for (const i of [0, 5, 13, 14, 20, 31]) {
      const moved = (by: number) =>
        task.judge(
          outputs.map((v, k) => (k === i ? v + by : v)),
          rows,
          task.newSums(),
        );
      expect((moved(1e-2) - moved(-1e-2)) / 2e-2).toBeCloseTo(gradient[i] ?? NaN, 3);
    }
  });
});

describe('tagged data', () => {
  it('reads CoNLL files, one or a folder of parts', () => {
    const whole = loadTaggedData(dataOf(dataFile('ncbi_disease.conll.gz')));
    expect(whole.tags).toEqual(['O', 'B-Disease', 'I-Disease']);
    expect(whole.sentences).toHaveLength(923);
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'train.txt'), '-DOCSTART- -X- O\n\nEU NNP B-ORG\nrejects VBZ O\n\nPeter NNP B-PER\n\n');
    writeFileSync(join(folder, 'valid.txt'), 'Bonn NNP B-LOC\n');
    writeFileSync(join(folder, 'test.txt'), '# a comment\r\nRome NNP B-LOC\r\n\r\nParis NNP B-LOC\r\n');
    const parts = loadTaggedData(dataOf(folder));
    const words = (rows: Int32Array) => Array.from(rows, (row) => parts.sentences[row]?.tokens.join(' '));
    expect(words(parts.split.train)).toEqual(['EU rejects', 'Peter']);
    expect(words(parts.split.validation)).toEqual(['Bonn']);
    expect(words(parts.split.test)).toEqual(['Rome', 'Paris']);
    expect(parts.tags).toEqual(['O', 'B-LOC', 'B-ORG', 'B-PER']);
  });

  it('names the line at fault', () => {
    const write = (text: string): string => {
      const path = join(temporaryFolder(), 'bad.conll');
      writeFileSync(path, text);
      return path;
    };
    expect(() => loadTaggedData(dataOf(write('EU B-ORG\nrejects\n')))).toThrow(
      /bad\.conll, line 2: a token and its tag/,
    );
    expect(() => loadTaggedData(dataOf(write('EU O\n\nPeter O\n')))).toThrow(/no tag but O/);
    expect(() => loadTaggedData(dataOf(write('EU B-ORG\n'), { target: 'tag' }))).toThrow(/data\.target/);
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'train'));
    writeFileSync(join(folder, 'test.txt'), 'EU B-ORG\n');
    expect(() => loadTaggedData(dataOf(folder))).toThrow(/one whose name begins with train/);
  });

  it('tells what a token looks like', () => {
    expect(featuresOf('BRCA1-Ab', true, true)).toEqual(['w:brca1-ab', 's:Xd-Xx', 'p:brc', 'e:-ab']);
    expect(featuresOf('The', false, false)).toEqual(['w:The']);
  });
});
