import { createWriteStream, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';

import { open, type Entry, type ZipFile } from 'yauzl';

import { ResweepError } from '../../core/errors.js';
import { runTool } from './run-tool.js';

const LIBRARIES = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'];
const INCLUDE = 'tensorflow/include/';
const HEADERS = [
  'tensorflow/c/',
  'tensorflow/core/platform/',
  'tsl/c/',
  'tsl/platform/',
  'xla/tsl/c/',
  'xla/tsl/platform/',
];

/** Name of the package on PyPI that holds TensorFlow's library for this platform. */
function wheelName(): string {
  if (process.platform === 'linux' && process.arch === 'x64') return 'tensorflow-cpu';
  if (process.platform === 'linux' && process.arch === 'arm64') return 'tensorflow-cpu-aws';
  throw new ResweepError(
    'NATIVE_UNSUPPORTED',
    `There is no recipe for the native TensorFlow on ${process.platform}-${process.arch}; it is there for Linux.`,
    { hint: 'Train on WebAssembly: backend: wasm, or auto.' },
  );
}

/** Downloads TensorFlow from PyPI by pip, and keeps of it the library (`lib/`) and the headers of its C interface (`include/`). */
export async function fetchTensorflow(python: string, version: string, into: string): Promise<void> {
  const name = wheelName();
  mkdirSync(into, { recursive: true });
  const aside = mkdtempSync(join(into, '.wheel-'));
  try {
    const args = ['-m', 'pip', 'download', '--quiet', '--no-deps', '--only-binary=:all:', '--python-version', '3.11'];
    await runTool(python, [...args, '--dest', aside, `${name}==${version}`], {
      purpose: `Downloading ${name} ${version} from PyPI`,
    });
    const wheel = readdirSync(aside).find((file) => file.endsWith('.whl'));
    if (wheel === undefined) throw new ResweepError('NATIVE_BUILD', `pip downloaded no wheel of ${name} ${version}.`);
    const found = await unpack(join(aside, wheel), into);
    const missing = LIBRARIES.filter((library) => !found.includes(library));
    if (missing.length > 0)
      throw new ResweepError('NATIVE_BUILD', `The wheel ${wheel} does not hold ${missing.join(' and ')}.`);
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
}

/** Names of what was unpacked. */
async function unpack(wheel: string, into: string): Promise<string[]> {
  const zip = await openZip(wheel);
  const found: string[] = [];
  return new Promise((resolve, reject) => {
    zip.once('error', reject);
    zip.once('end', () => {
      resolve(found);
    });
    zip.on('entry', (entry: Entry) => {
      const target = targetOf(entry.fileName);
      if (target === undefined) {
        zip.readEntry();
        return;
      }
      extract(zip, entry, join(into, target)).then(() => {
        found.push(basename(entry.fileName));
        zip.readEntry();
      }, reject);
    });
    zip.readEntry();
  });
}

function targetOf(name: string): string | undefined {
  const file = basename(name);
  if (LIBRARIES.some((library) => name === `tensorflow/${library}`)) return join('lib', file);
  const isHeader = name.endsWith('.h') && HEADERS.some((folder) => name.startsWith(INCLUDE + folder));
  return isHeader && !name.includes('..') ? join('include', name.slice(INCLUDE.length)) : undefined;
}

async function extract(zip: ZipFile, entry: Entry, path: string): Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  const stream = await new Promise<NodeJS.ReadableStream>((resolve, reject) => {
    zip.openReadStream(entry, (error, readable) => {
      if (error === null) resolve(readable);
      else reject(error);
    });
  });
  await pipeline(stream, createWriteStream(`${path}.part`));
  renameSync(`${path}.part`, path);
}

function openZip(path: string): Promise<ZipFile> {
  return new Promise((resolve, reject) => {
    open(path, { lazyEntries: true }, (error, zip) => {
      if (error === null) resolve(zip);
      else reject(error);
    });
  });
}
