import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';

import { at } from './paths.mjs';

const compiled = at('build');
const KEPT_MS = 7 * 24 * 3600_000;
/** Where modules of their own begin: the API, the command line, and what new processes and threads start from. */
const ENTRY = /^(index|cli[/\\]main|.*-(worker|thread)|.*worker-main)\.js$/;
/** A package that is loaded as it was installed: native, optional, or one of which the user's own copy counts. */
const { dependencies, optionalDependencies, peerDependencies } = JSON.parse(readFileSync(at('package.json'), 'utf8'));
const INSTALLED = Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies }).filter(
  (name) => name !== 'zod',
);

/**
 * Bundles what tsc made in `build/` into `dist/`, with the packages that only resweep itself uses: a command then opens a
 * tenth of the files, and starts in half the time. Modules that are loaded lazily stay so. Throws where that fails.
 */
export async function bundle() {
  const { rolldown } = await import('rolldown');
  const names = readdirSync(compiled, { recursive: true }).filter((name) => ENTRY.test(name));
  const bundler = await rolldown({
    input: Object.fromEntries(names.map((name) => [name.replace(/\.js$/, ''), join(compiled, name)])),
    platform: 'node',
    external: (id) => INSTALLED.some((name) => id === name || id.startsWith(`${name}/`)),
    transform: { define: { 'process.env.NODE_ENV': '"production"' } },
    plugins: [ownUrls()],
    onLog(level, log) {
      if (level !== 'info' && level !== 'debug') throw new Error(log.message);
    },
  });
  const { output } = await bundler.generate({
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name]-[hash].js',
    minify: 'dce-only',
  });
  await bundler.close();
  // A chunk before what names it: whoever starts meanwhile finds the old build or the new one, whole.
  for (const { fileName, code } of output.toSorted((a, b) => Number(a.isEntry) - Number(b.isEntry))) {
    const path = at('dist', fileName);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(`${path}.new`, code);
    renameSync(`${path}.new`, path);
  }
  removeOldChunks(new Set(output.map(({ fileName }) => fileName)));
  writeFileSync(at('dist', 'third-party-licenses.txt'), licensesOf(output.flatMap(({ moduleIds }) => moduleIds ?? [])));
}

/** A process of the build before, a sweep perhaps, may still load chunks of it: they stay for a while. */
function removeOldChunks(current) {
  for (const name of readdirSync(at('dist', 'chunks'))) {
    const path = at('dist', 'chunks', name);
    if (!current.has(`chunks/${name}`) && Date.now() - statSync(path).mtimeMs > KEPT_MS) rmSync(path);
  }
}

/** Modules go on seeing the place that they had: files beside them are found wherever the bundle has put them. */
function ownUrls() {
  const mark = (path) => `__URL_OF__(${JSON.stringify(path)})`;
  return {
    name: 'own-urls',
    transform(code, id) {
      if (!id.startsWith(compiled + sep) || !code.includes('import.meta.url')) return null;
      return code.replaceAll('import.meta.url', mark(relative(compiled, id).replaceAll(sep, '/')));
    },
    renderChunk(code, chunk) {
      if (!code.includes('__URL_OF__(')) return null;
      return code.replaceAll(/__URL_OF__\("([^"]*)"\)/g, (_, path) => {
        const from = relative(dirname(join('dist', chunk.fileName)), join('dist', path)).replaceAll(sep, '/');
        return `new URL(${JSON.stringify(from)}, import.meta.url).href`;
      });
    },
  };
}

/** The notices of every package of which code is in the bundle, as their licences ask. */
function licensesOf(modules) {
  const folders = new Set();
  for (const path of modules) {
    const [folder] = /^.*[/\\]node_modules[/\\](@[^/\\]+[/\\])?[^/\\]+/.exec(path.replace(/^\0/, '')) ?? [];
    if (folder !== undefined) folders.add(folder);
  }
  const texts = new Map();
  for (const folder of folders) {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const text = readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isFile() && /^(licen[cs]e|notice)/i.test(entry.name))
      .map((entry) => readFileSync(join(folder, entry.name), 'utf8').trim())
      .join('\n\n');
    texts.set(`${name} ${version}`, `${name} ${version} (${license})\n\n${text}\n`);
  }
  const all = [...texts.keys()].sort().map((key) => texts.get(key));
  return `resweep contains code of these packages.\n\n${all.join(`\n${'-'.repeat(80)}\n\n`)}`;
}
