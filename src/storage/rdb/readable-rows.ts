import type Database from 'better-sqlite3';

type Row = Readonly<Record<string, unknown>>;

const BATCH = 200;
/** Row ids tried one by one between two unreadable places, at most. */
const MOST_PROBES = 200_000;
/** Row ids tried beyond the last readable one, where the end cannot be read. */
const BEYOND = 2_000;

/**
 * Every row of a table that can be read, although pages of it are damaged: from the front to the first damaged page, from the back to
 * the last, and what lies between row by row. Indexes, which may be damaged too, are not used.
 * @returns how many row ids in between could not be read
 */
export function readableRows(
  db: Database.Database,
  table: string,
  take: (row: Row) => void,
): { readonly lost: number } {
  const columns = columnsOf(db, table);
  if (columns === undefined) return { lost: 0 };
  const select = `SELECT rowid AS "#", ${columns.map((name) => `"${name}"`).join(', ')} FROM ${table} NOT INDEXED`;
  const emit = (row: Row): void => {
    const { '#': _rowId, ...fields } = row;
    take(fields);
  };
  const front = walk(db, `${select} WHERE rowid > ? ORDER BY rowid LIMIT ?`, -1, emit);
  if (front.whole) return { lost: 0 };
  const back: Row[] = [];
  const end = walk(db, `${select} WHERE rowid < ? ORDER BY rowid DESC LIMIT ?`, Number.MAX_SAFE_INTEGER, (row) => {
    if (Number(row['#']) > front.last) back.push(row);
  });
  const upTo = back.length === 0 ? front.last + BEYOND : Math.min(end.last, front.last + MOST_PROBES);
  let lost = 0;
  const one = db.prepare(`${select} WHERE rowid = ?`);
  for (let id = front.last + 1; id < upTo; id++) {
    try {
      const row = one.get(id) as Row | undefined;
      if (row !== undefined) emit(row);
    } catch {
      lost++;
    }
  }
  for (const row of back.reverse()) emit(row);
  return { lost: back.length === 0 ? Math.min(lost, 1) : lost };
}

function columnsOf(db: Database.Database, table: string): string[] | undefined {
  try {
    const names = (db.pragma(`table_info(${table})`) as { name: string }[]).map(({ name }) => name);
    return names.length === 0 ? undefined : names;
  } catch {
    return undefined;
  }
}

/** Goes on in batches, then row by row up to the one that cannot be read. */
function walk(
  db: Database.Database,
  sql: string,
  from: number,
  take: (row: Row) => void,
): { readonly whole: boolean; readonly last: number } {
  let last = from;
  for (let size = BATCH; ;) {
    let rows: Row[];
    try {
      rows = db.prepare(sql).all(last, size) as Row[];
    } catch {
      if (size === 1) return { whole: false, last };
      size = 1;
      continue;
    }
    for (const row of rows) {
      take(row);
      last = Number(row['#']);
    }
    if (rows.length < size) return { whole: true, last };
  }
}
