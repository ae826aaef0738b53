import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { numberBatches } from '../../../src/training/data/text/number-batches.js';
import { loadTextData } from '../../../src/training/data/text/text-data.js';
import { buildVocabulary, divide } from '../../../src/training/data/text/vocabulary.js';
import { dataFile, dataOf, temporaryFolder } from '../training-support.js';

function write(name: string, text: string): string {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, text);
  return path;
}

const small = { test: 0, validation: 0 };

describe('text data', () => {
  it('reads TSV, CSV and JSON lines alike', () => {
    const sms = loadTextData(dataOf(dataFile('sms_spam.tsv.gz')));
    expect(sms.classes).toEqual(['ham', 'spam']);
    expect(sms.texts).toHaveLength(3000);
    const rows = [
      ['a "quoted" word', 'x'],
      ['b, with a comma', 'y'],
      ['c', 'x'],
      ['d', 'y'],
    ] as const;
    const csv = rows.map(([text, label]) => `${label},"${text.replaceAll('"', '""')}"`).join('\n');
    const files = [
      write('t.tsv', `text\tlabel\n${rows.map((row) => row.join('\t')).join('\n')}\n`),
      write('t.csv', `label,text\n${csv}\n`),
      write('t.jsonl', `${rows.map(([text, label]) => JSON.stringify({ id: 1, text, label })).join('\n')}\n`),
    ];
    for (const path of files) {
      const data = loadTextData(dataOf(path, small));
      expect(data.texts).toEqual(rows.map(([text]) => text));
      expect([...data.labels]).toEqual([0, 1, 0, 1]);
    }
  });

  it('names the line at fault', () => {
    const load = (name: string, text: string, options = {}) => loadTextData(dataOf(write(name, text), { ...small, options }));
    expect(() => load('t.jsonl', '{"text":"a","label":"x"}\nno\n')).toThrow(/t\.jsonl, line 2: this is no JSON/);
    expect(() => load('t.jsonl', '{"text":"a","label":"x"}\n{"text":"b"}\n')).toThrow(/line 2: "label" is missing/);
    expect(() => load('t.tsv', 'text\tlabel\na\tx\n\ty\nc\tx\nd\ty\n')).toThrow(/line 3: the text is empty/);
    expect(() => load('t.csv', 'body,label\na,x\nb,y\n', { text: 'bodi' })).toThrow(/no column "bodi"/);
  });

  it('divides texts and numbers words by frequency', () => {
    expect(divide("Don't panic, 42!", 'words', true)).toEqual(['don', "'", 't', 'panic', ',', '42', '!']);
    expect(divide('Né à', 'characters', false)).toEqual(['N', 'é', ' ', 'à']);
    const vocabulary = buildVocabulary([['b', 'a', 'b'], ['c', 'a', 'b']], 2, 1);
    expect(vocabulary.words).toEqual(['b', 'a']);
    expect(['b', 'a', 'c'].map(vocabulary.numberOf)).toEqual([2, 3, 1]);
  });

  it('leaves words out in training alone, never padding or other features', () => {
    const numbers = Int32Array.from([5, 6, 7, 8, 0, 0]);
    const { fill } = numberBatches({ numbers, width: 6, wordDropout: 0.999, every: 2 });
    const filled = (seed?: number): number[] => {
      const into = new Int32Array(6);
      fill(Int32Array.from([0]), into, seed);
      return [...into];
    };
    expect(filled()).toEqual([5, 6, 7, 8, 0, 0]);
    expect(filled(1)).toEqual([1, 6, 1, 8, 0, 0]);
  });
});
