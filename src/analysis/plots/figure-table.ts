/** The numbers behind a figure, as rows under headings. */
export interface FigureTable {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly TableCell[])[];
}

export type TableCell = number | string | boolean | null | undefined;

/** As CSV (RFC 4180, lines end with a line feed). What looks like a formula to a spreadsheet gets an apostrophe, numbers excepted. */
export function tableCsv({ columns, rows }: FigureTable): string {
  return [columns, ...rows].map((row) => `${row.map(cellText).join(',')}\n`).join('');
}

function cellText(cell: TableCell): string {
  if (cell === null || cell === undefined || (typeof cell === 'number' && Number.isNaN(cell))) return '';
  if (typeof cell !== 'string') return String(cell);
  const text = /^[=+@\t\r-]/.test(cell) && Number.isNaN(Number(cell)) ? `'${cell}` : cell;
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
