import { UsageError } from '../../core/errors.js';
import { nearestName } from '../../core/nearest-name.js';
import { isMissing, numberIn, type CsvTable } from './csv-table.js';

/** How one column of the file becomes features. Plain data: it is saved beside the model. */
export type FeatureColumn =
  | { readonly name: string; readonly column: number; readonly kind: 'number' }
  /** One feature per category, 1 where the cell is that category. */
  | { readonly name: string; readonly column: number; readonly kind: 'category'; readonly categories: readonly string[] };

/** Above this a column of text is an identifier or free text, not a feature. */
const MOST_CATEGORIES = 200;

/** Index of the column that `wanted` means. @throws UsageError naming the columns there are. */
export function findColumn(table: CsvTable, wanted: string | number, key: string): number {
  const { names, path, hasHeader } = table;
  if (wanted === 'last') return names.length - 1;
  if (wanted === 'first') return 0;
  if (typeof wanted === 'number') {
    if (wanted < names.length) return wanted;
    throw new UsageError(`data.${key}: ${path} has no column ${wanted}; its columns are 0 to ${names.length - 1}.`);
  }
  const index = hasHeader ? names.indexOf(wanted) : -1;
  if (index >= 0) return index;
  const near = hasHeader ? nearestName(wanted, names) : undefined;
  const shown = names.slice(0, 20).join(', ');
  throw new UsageError(
    hasHeader
      ? `data.${key}: ${path} has no column "${wanted}"; it has ${shown}${names.length > 20 ? ', …' : ''}.`
      : `data.${key}: ${path} has no header, so a column cannot be named "${wanted}".`,
    {
      hint: hasHeader
        ? near === undefined
          ? 'Name one of these, or its index from 0.'
          : `Did you mean "${near}"?`
        : 'Give its index from 0, first or last; or set header: true.',
    },
  );
}

/**
 * Decides for each feature column whether it holds numbers or categories.
 * @throws UsageError with file, line and column of a missing value, of a stray text among numbers, of a column with too many categories.
 */
export function describeFeatures(table: CsvTable, left: ReadonlySet<number>): FeatureColumn[] {
  return table.names.flatMap((name, column): FeatureColumn[] => {
    if (left.has(column)) return [];
    let numbers = 0;
    let stray: number | undefined;
    table.rows.forEach((row, index) => {
      const cell = row[column] ?? '';
      if (isMissing(cell)) throw missing(table, index, column);
      if (numberIn(cell) === undefined) stray ??= index;
      else numbers++;
    });
    if (stray === undefined) return [{ name, column, kind: 'number' }];
    if (numbers > table.rows.length / 2) {
      throw new UsageError(
        `${place(table, stray, column)}: "${table.rows[stray]?.[column] ?? ''}" is not a number, as ${numbers} of the column's ${table.rows.length} values are.`,
        { hint: 'Mend the value, or leave the column out with data.ignore.' },
      );
    }
    const categories = [...new Set(table.rows.map((row) => row[column] ?? ''))].sort();
    if (categories.length > MOST_CATEGORIES) {
      throw new UsageError(
        `${table.path}, column "${name}": ${categories.length} different texts; at most ${MOST_CATEGORIES} can be categories.`,
        { hint: 'If it is an identifier or free text, leave it out with data.ignore.' },
      );
    }
    return [{ name, column, kind: 'category', categories }];
  });
}

/** Number of features that the columns give. */
export function widthOf(columns: readonly FeatureColumn[]): number {
  return columns.reduce((sum, column) => sum + (column.kind === 'number' ? 1 : column.categories.length), 0);
}

/** Rows × features, row by row. */
export function encodeFeatures(table: CsvTable, columns: readonly FeatureColumn[]): Float32Array {
  const width = widthOf(columns);
  const features = new Float32Array(table.rows.length * width);
  let offset = 0;
  for (const column of columns) {
    if (column.kind === 'number') {
      table.rows.forEach((row, index) => {
        features[index * width + offset] = Number(row[column.column]);
      });
      offset++;
      continue;
    }
    const positions = new Map(column.categories.map((category, index) => [category, index]));
    table.rows.forEach((row, index) => {
      const position = positions.get(row[column.column] ?? '');
      if (position !== undefined) features[index * width + offset + position] = 1;
    });
    offset += column.categories.length;
  }
  return features;
}

/** Target of a classification: the classes in order (numbers by value, else texts), and each row's class. */
export function encodeClasses(table: CsvTable, column: number): { classes: string[]; labels: Int32Array } {
  const cells = table.rows.map((row, index) => {
    const cell = row[column] ?? '';
    if (isMissing(cell)) throw missing(table, index, column);
    return cell;
  });
  const distinct = [...new Set(cells)];
  const areNumbers = distinct.every((cell) => numberIn(cell) !== undefined);
  const classes = areNumbers ? distinct.sort((a, b) => Number(a) - Number(b)) : distinct.sort();
  const name = table.names[column] ?? '';
  if (classes.length < 2) {
    throw new UsageError(`${table.path}, column "${name}": only one class ("${classes[0] ?? ''}"), so there is nothing to learn.`, {
      hint: 'Is data.target the right column?',
    });
  }
  if (classes.length > 1000 || classes.length > table.rows.length / 2) {
    throw new UsageError(
      `${table.path}, column "${name}": ${classes.length} classes in ${table.rows.length} rows, too many to tell apart.`,
      { hint: 'Is data.target the right column? For a number use the trainer mlp-regressor.' },
    );
  }
  const index = new Map(classes.map((cell, position) => [cell, position]));
  return { classes, labels: Int32Array.from(cells, (cell) => index.get(cell) ?? 0) };
}

/** Target of a regression. */
export function encodeNumbers(table: CsvTable, column: number): Float32Array {
  return Float32Array.from(table.rows, (row, index) => {
    const cell = row[column] ?? '';
    if (isMissing(cell)) throw missing(table, index, column);
    const value = numberIn(cell);
    if (value !== undefined) return value;
    throw new UsageError(`${place(table, index, column)}: "${cell}" is not a number, as the target of a regression must be.`, {
      hint: 'For classes use the trainer mlp-classifier.',
    });
  });
}

function missing(table: CsvTable, row: number, column: number): UsageError {
  const cell = table.rows[row]?.[column] ?? '';
  return new UsageError(`${place(table, row, column)}: the value is missing${cell === '' ? '' : ` ("${cell}")`}.`, {
    hint: 'Fill it in, take the row out, or leave the column out with data.ignore.',
  });
}

function place(table: CsvTable, row: number, column: number): string {
  const name = table.names[column] ?? '';
  return `${table.path}, line ${table.lines[row] ?? 0}, ${table.hasHeader ? `column "${name}"` : name}`;
}
