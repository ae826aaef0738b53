import { createHash } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';

import { buildWeb } from './build-web.mjs';
import { bundle } from './bundle.mjs';
import { at } from './paths.mjs';
import { runCommand, tool } from './run-command.mjs';
import { dim, duration, red, say } from './say.mjs';

const stampFile = at('dist', '.build-stamp');

/** Fingerprint of everything that the output depends on: names, sizes and times, no content. */
function fingerprint() {
  const hash = createHash('sha256');
  for (const name of ['tsconfig.json', 'tsconfig.build.json', 'tsconfig.web.json', 'package-lock.json']) add(at(name));
  for (const entry of readdirSync(at('src'), { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) add(join(entry.parentPath, entry.name));
  }
  return hash.digest('hex');

  function add(path) {
    const { size, mtimeMs } = statSync(path);
    hash.update(`${path}\0${size}\0${mtimeMs}\n`);
  }
}

/** Whether `dist/` was made from the sources as they are. */
export function isBuilt() {
  return existsSync(stampFile) && readFileSync(stampFile, 'utf8') === fingerprint();
}

/** Compiles `src/` to `build/` and its types to `dist/`, and bundles what runs into `dist/`. Returns whether it worked. */
export async function build() {
  const start = Date.now();
  const before = fingerprint();
  say(`Building (tsc, rolldown, vite): usually ${existsSync(stampFile) ? '8' : '15'} s.`);
  rmSync(stampFile, { force: true });
  const { code, output } = await runCommand(...tool('typescript/bin/tsc', ['-p', 'tsconfig.build.json']));
  if (code !== 0) {
    say(dim(output.trimEnd()));
    say(red('The build failed: the errors stand above.'));
    return false;
  }
  removeOrphans();
  try {
    await bundle();
    await buildWeb();
  } catch (error) {
    say(dim(error instanceof Error ? error.message : String(error)));
    say(red('The build failed: it could not be bundled.'));
    return false;
  }
  const main = at('dist', 'cli', 'main.js');
  if (existsSync(main)) chmodSync(main, 0o755);
  writeFileSync(stampFile, before);
  say(`  done in ${duration(Date.now() - start)}.`);
  return true;
}

export function removeBuild() {
  for (const folder of ['build', 'dist']) rmSync(at(folder), { recursive: true, force: true });
}

/** Deletes outputs whose source is gone: a stale module could still be imported. */
function removeOrphans() {
  for (const folder of ['build', 'dist']) {
    for (const entry of readdirSync(at(folder), { recursive: true, withFileTypes: true })) {
      const output = join(entry.parentPath, entry.name);
      const name = relative(at(folder), output).replace(/\.(d\.ts|js)$/, '');
      if (!entry.isFile() || name === relative(at(folder), output) || name.startsWith('chunks')) continue;
      if (!['.ts', '.tsx'].some((extension) => existsSync(at('src', `${name}${extension}`)))) rmSync(output);
    }
  }
}
