import Database from 'better-sqlite3';

/*
 * From Node 24.19 on a native object of the older interface (node::ObjectWrap) asks for its environment while it is collected; there is
 * none then, and the process aborts. better-sqlite3 12 is of that kind, and 13 does not run on Node 20 (nodejs/node: api/hooks.cc,
 * RemoveEnvironmentCleanupHook). So on such a Node none of its objects is ever collected: a few hundred bytes for each statement.
 */
const COLLECTS_WRONGLY = Number(process.versions.node.split('.')[0]) >= 24;

const kept: unknown[] = [];
const seen = new WeakSet<object>();

type Method = (this: unknown, ...args: unknown[]) => unknown;

/** Opens a database: the only place that makes one. */
export function openDatabase(path: string | Buffer, options: Database.Options = {}): Database.Database {
  const db = new Database(path, options);
  if (COLLECTS_WRONGLY) keepObjects(db);
  return db;
}

/** Keeps the native database, and whatever is made from it: statements, their iterators, backups. */
function keepObjects(db: Database.Database): void {
  for (const symbol of Object.getOwnPropertySymbols(db)) {
    const native = (db as unknown as Record<symbol, unknown>)[symbol];
    if (typeof native !== 'object' || native === null) continue;
    kept.push(native);
    keepResults(native);
  }
}

/** Makes the methods of an object's kind that give other native objects keep these. */
function keepResults(object: object): void {
  const kind = Object.getPrototypeOf(object) as Record<string, unknown> | null;
  if (kind === null || seen.has(kind)) return;
  seen.add(kind);
  for (const name of ['prepare', 'backup', 'iterate']) {
    const method = kind[name];
    if (typeof method !== 'function') continue;
    kind[name] = function (this: unknown, ...args: unknown[]): unknown {
      const made = (method as Method).apply(this, args);
      kept.push(made);
      keepResults(made as object);
      return made;
    };
  }
}
