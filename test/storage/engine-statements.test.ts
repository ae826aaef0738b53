import { resolve } from 'node:path';

import {
  DummyDriver,
  Kysely,
  MysqlQueryCompiler,
  PostgresQueryCompiler,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import { format, resolveConfig } from 'prettier';
import { expect, it } from 'vitest';

import { Argument, type Statement } from '../../src/storage/rdb/statement.js';
import { compileStatements } from '../../src/storage/rdb/statements.js';
import type { Tables } from '../../src/storage/rdb/tables.js';

const FOLDER = resolve(import.meta.dirname, '../../src/storage/rdb/engines');

type Tree = Statement | undefined | readonly Tree[] | { readonly [name: string]: Tree };

function isStatement(tree: Tree): tree is Statement {
  return tree !== undefined && 'sql' in tree;
}

/** A statement, or several under names or in a list, as source text. */
function source(tree: Tree): string {
  if (tree === undefined) return 'undefined';
  if (isStatement(tree)) {
    const order = tree.order.map((slot) => (slot instanceof Argument ? `arg(${slot.index})` : JSON.stringify(slot)));
    return `statement(${[JSON.stringify(tree.sql), ...order].join(', ')})`;
  }
  if (Array.isArray(tree)) return `[${(tree as readonly Tree[]).map(source).join(', ')}]`;
  return `{${Object.entries(tree)
    .map(([name, part]) => `${name}: ${source(part)}`)
    .join(', ')}}`;
}

const ENGINES = [
  [
    'SQLite',
    'sqlite',
    SqliteQueryCompiler,
    { upsert: 'on-conflict', locksRows: false, rangesById: false, returning: false },
  ],
  [
    'PostgreSQL',
    'postgres',
    PostgresQueryCompiler,
    { upsert: 'on-conflict', locksRows: true, rangesById: true, returning: true },
  ],
  [
    'MySQL and MariaDB',
    'mysql',
    MysqlQueryCompiler,
    { upsert: 'on-duplicate-key', locksRows: true, rangesById: false, returning: false },
  ],
] as const;

it.each(ENGINES)(
  'the statements for %s, kept as text since the query builder takes longer to load than most commands to run, are what it makes',
  async (name, file, Compiler, facts) => {
    const db = new Kysely<Tables>({
      dialect: {
        createAdapter: () => new SqliteAdapter(),
        createDriver: () => new DummyDriver(),
        createIntrospector: (kysely) => new SqliteIntrospector(kysely),
        createQueryCompiler: () => new Compiler(),
      },
    });
    const path = resolve(FOLDER, `${file}-statements.ts`);
    const text = `import { arg, statement } from '../statement.js';
import type { Statements } from '../statements.js';

${file === 'sqlite' ? '' : '/* eslint-disable max-lines -- a list */\n'}/* Made from ../statements.ts by \`npx vitest run test/storage/engine-statements.test.ts -u\`; not to be edited. */

/** Every statement of the storage, for ${name}. */
export const ${file.toUpperCase()}_STATEMENTS: Statements = ${source(compileStatements(db, facts))};
`;
    const config = await resolveConfig(path);
    await expect(await format(text, { ...config, parser: 'typescript' })).toMatchFileSnapshot(path);
  },
);
