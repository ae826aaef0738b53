import { existsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

import { UsageError } from '../../core/errors.js';
import { isServerUrl, schemeOf, withoutPassword } from '../../core/storage-url.js';

/**
 * The storage that `--storage` or `copy … TO` names, for a study to be added: a server's URL, `sqlite:///FILE`, or the path of a
 * database file, which may not exist yet. @throws UsageError for anything else
 */
export function writableStorage(text: string): string {
  const scheme = schemeOf(text);
  if (text === 'memory' || text === ':memory:' || text === 'sqlite://' || text === 'sqlite:///:memory:') {
    throw new UsageError('A storage in memory forgets everything when the command ends.', {
      hint: 'Name a database file (study.db) or a URL (postgresql://…, mysql://…).',
    });
  }
  if (isServerUrl(text) || scheme === 'sqlite') return text;
  if (scheme !== undefined) {
    throw new UsageError(`A storage of kind "${scheme}" is not supported: ${withoutPassword(text)}.`, {
      hint: 'Supported: a path of a database file, sqlite:///FILE, postgresql://…, mysql://….',
    });
  }
  // No database file is called like this: a URL with a slip of the pen, and perhaps a password.
  if (/^[a-z+]*:?\/\/.*@/is.test(text)) {
    throw new UsageError('The storage is no URL that can be read.', {
      hint: 'postgresql://USER:PASSWORD@HOST:PORT/DATABASE, or a path of a database file',
    });
  }
  const path = resolve(text);
  if (existsSync(path) && statSync(path).isDirectory())
    throw new UsageError(`${text} is a folder.`, { hint: `Name a file in it: ${text.replace(/\/$/, '')}/study.db` });
  if (!existsSync(dirname(path)))
    throw new UsageError(`The folder of ${text} does not exist.`, { hint: `mkdir -p ${dirname(text)}` });
  return path;
}
