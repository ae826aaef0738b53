import { utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { describe, expect, it } from 'vitest';

import { UsageError } from '../../../src/core/errors.js';
import type { DataConfig } from '../../../src/core/sweep-config.js';
import { parseCsv } from '../../../src/training/data/csv-table.js';
import { loadTabularData } from '../../../src/training/data/tabular-data.js';
import { dataFile, dataOf, temporaryFolder } from '../training-support.js';

const csv = { path: 'f.csv', delimiter: ',', skipRows: 0 };

function fileWith(text: string | Buffer, name = 'table.csv'): string {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, text);
  return path;
}

function load(text: string, more: Partial<DataConfig> = {}) {
  return loadTabularData('classification', dataOf(fileWith(text), { test: 0, validation: 0.25, ...more }));
}

describe('parseCsv', () => {
  it('reads quotes, line breaks in them, a byte order mark and Windows line ends', () => {
    const table = parseCsv('\u{feff}a,"b, ""c"""\r\n1,"x\ny"\r\n\r\n2, z \r\n', csv);
    expect(table.names).toEqual(['a', 'b, "c"']);
    expect(table.rows).toEqual([
      ['1', 'x\ny'],
      ['2', 'z'],
    ]);
    expect(table.lines).toEqual([2, 5]);
  });

  it('finds a header, or takes what it is told', () => {
    expect(parseCsv('x,y\n1,2\n', csv).hasHeader).toBe(true);
    expect(parseCsv('3,y\n1,2\n', csv).hasHeader).toBe(false);
    expect(parseCsv('x,y\na,b\n', { ...csv, header: false }).rows).toHaveLength(2);
    expect(parseCsv('1,2\n3,4\n', { ...csv, header: true }).names).toEqual(['1', '2']);
  });

  it('leaves out rows at the top, and takes another delimiter', () => {
    expect(parseCsv('569,30,a,b,c\n1;2\n', { ...csv, skipRows: 1, delimiter: ';' }).rows).toEqual([['1', '2']]);
  });

  it.each([
    ['1,2\n3\n', /f\.csv, line 2: 1 column, but line 1 has 2/],
    ['', /f\.csv has no row/],
    ['a,a\n1,2\n', /two columns are called "a"/],
    ['a,b\n"1,2\n', /f\.csv, line 2: a quote is opened/],
  ])('refuses %j', (text, message) => {
    expect(() => parseCsv(text, csv)).toThrow(message);
  });
});

describe('loadTabularData', () => {
  it('reads the digits: 1,797 rows of 64 pixels in ten classes', () => {
    const data = loadTabularData('classification', dataOf(dataFile('digits.csv.gz')));
    expect([data.features.length / data.width, data.width]).toEqual([1797, 64]);
    expect(data.classes).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
    expect(data.split.test.length + data.split.validation.length + data.split.train.length).toBe(1797);
  });

  it('reads the breast cancer set behind its first line, and the diabetes set with its header', () => {
    const cancer = loadTabularData('classification', dataOf(dataFile('breast_cancer.csv'), { skipRows: 1 }));
    expect([cancer.labels.length, cancer.width, cancer.classes]).toEqual([569, 30, ['0', '1']]);
    const diabetes = loadTabularData('regression', dataOf(dataFile('diabetes.csv'), { target: 'progression' }));
    expect([diabetes.targets.length, diabetes.width]).toEqual([442, 10]);
    expect(diabetes.columns[2]?.name).toBe('bmi');
  });

  it('scales by the training part alone', () => {
    const data = loadTabularData('classification', dataOf(dataFile('breast_cancer.csv'), { skipRows: 1 }));
    const column = (rows: Int32Array) => Array.from(rows, (row) => data.features[row * data.width] ?? NaN);
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const train = column(data.split.train);
    expect(mean(train)).toBeCloseTo(0, 5);
    expect(mean(train.map((value) => value ** 2))).toBeCloseTo(1, 4);
    expect(Math.abs(mean(column(data.split.validation)))).toBeGreaterThan(1e-4);
  });

  it('turns text into one feature per category, unscaled', () => {
    const data = load('colour,size,class\nred,1,a\nblue,2,b\nred,3,a\nblue,5,b\nred,1,a\nblue,2,b\nred,3,a\nblue,5,b\n');
    expect(data.columns).toEqual([
      { name: 'colour', column: 0, kind: 'category', categories: ['blue', 'red'] },
      { name: 'size', column: 1, kind: 'number' },
    ]);
    expect([...data.features.slice(0, 2), ...data.features.slice(3, 5)]).toEqual([0, 1, 1, 0]);
  });

  it('finds the target first, by name and by index, and leaves out columns', () => {
    const text = 'id,x,y\nu,1,a\nv,2,b\nw,3,a\nz,4,b\n';
    expect(load(text, { target: 'y', ignore: ['id'] }).width).toBe(1);
    expect(load(text, { target: 2, ignore: [0] }).classes).toEqual(['a', 'b']);
    expect(load('y,x\na,1\nb,2\na,3\nb,4\n', { target: 'first' }).classes).toEqual(['a', 'b']);
  });

  it.each([
    ['x,y\n1,a\n,b\n2,a\n3,b\n', {}, /table\.csv, line 3, column "x": the value is missing/],
    ['x,y\n1,a\n4,b\n2,?\n3,b\n', {}, /line 4, column "y": the value is missing \("\?"\)/],
    ['x,y\n1,a\n4,b\n2o,a\n3,b\n', {}, /line 4, column "x": "2o" is not a number, as 3 of the column's 4/],
    ['x,y\n1,a\n4,b\n', { target: 'z' }, /has no column "z"; it has x, y/],
    ['1,2\n3,4\n', { target: 'z' }, /has no header/],
    ['1,2\n3,4\n', { target: 7 }, /no column 7; its columns are 0 to 1/],
    ['x,y\n1,a\n4,a\n', {}, /only one class \("a"\)/],
    ['x,y\n1,a\n4,b\n2,a\n3,b\n', { validation: 0.1 }, /4 rows cannot be split/],
    ['x,y\n1,a\n4,b\n', {}, /2 classes in 2 rows, too many/],
  ])('names the place of what is wrong: %j %j', (text, more, message) => {
    expect(() => load(text, more)).toThrow(message);
    expect(() => load(text, more)).toThrow(UsageError);
  });

  it('names a missing file, a folder, a damaged archive', () => {
    const at = (path: string) => () => loadTabularData('classification', dataOf(path));
    expect(at('/nowhere/x.csv')).toThrow(/x\.csv cannot be read/);
    expect(at(temporaryFolder())).toThrow(/is no file/);
    expect(at(fileWith(gzipSync('1,2\n'.repeat(999)).subarray(0, 30), 'x.csv.gz'))).toThrow(/damaged or cut off/);
  });

  it('keeps what it read, until the file changes', () => {
    const path = fileWith('1,0\n2,1\n3,0\n4,1\n');
    const options = dataOf(path, { test: 0, validation: 0.25 });
    const first = loadTabularData('classification', options);
    expect(loadTabularData('classification', options)).toBe(first);
    utimesSync(path, 1, 1);
    expect(loadTabularData('classification', options)).not.toBe(first);
  });

  it('joins training and validation for a final training', () => {
    const options = dataOf(dataFile('digits.csv.gz'));
    const apart = loadTabularData('classification', options).split;
    const joined = loadTabularData('classification', options, { fitOn: 'train+validation' }).split;
    expect(joined.validation).toHaveLength(0);
    expect(joined.test).toEqual(apart.test);
    expect(joined.train).toHaveLength(apart.train.length + apart.validation.length);
  });
});
