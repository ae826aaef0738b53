import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { ResweepError } from '../../core/errors.js';
import { doneFile, nativePlace, TENSORFLOW_VERSION, type NativePlace } from './native-place.js';
import { hasTool, runTool } from './run-tool.js';
import { fetchTensorflow } from './tensorflow-wheel.js';

const LOADS = `
const util = require('node:util');
util.isNullOrUndefined ??= (value) => value === null || value === undefined;
util.isArray ??= Array.isArray;
const tf = require('@tensorflow/tfjs-node');
process.stdout.write(tf.getBackend() + ' ' + tf.tensor1d([1, 2]).sum().dataSync()[0]);
`;

/**
 * Builds the native backend: the package `@tensorflow/tfjs-node`, whose own installer downloads from a place that is no longer kept,
 * compiled against the TensorFlow library inside PyPI's wheel. Everything lies in a cache folder of the user; what is there already
 * is not made again. `say` gets a line before each step that takes time.
 * @throws ResweepError naming what is missing or what failed.
 */
export async function buildNative(say: (line: string) => void): Promise<NativePlace> {
  const place = nativePlace();
  const { folder, version } = place;
  if (place.isBuilt) {
    await testNative(folder);
    return place;
  }
  const python = await requireTools();
  mkdirSync(folder, { recursive: true });
  const packageFolder = join(folder, 'node_modules', '@tensorflow', 'tfjs-node');
  if (!existsSync(join(packageFolder, 'package.json'))) {
    say(`Installing @tensorflow/tfjs-node ${version} (npm) into ${folder}.`);
    writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
    const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--no-progress', '--no-package-lock'];
    await runTool('npm', [...args, `@tensorflow/tfjs-node@${version}`], {
      cwd: folder,
      purpose: 'Installing @tensorflow/tfjs-node',
    });
  }
  const library = join(folder, 'tensorflow');
  if (!existsSync(join(library, '.complete'))) {
    say(`Downloading TensorFlow ${TENSORFLOW_VERSION} (PyPI, about 210 MB).`);
    await fetchTensorflow(python, TENSORFLOW_VERSION, library);
    writeFileSync(join(library, '.complete'), '');
  }
  layOut(packageFolder, library);
  say('Compiling the binding.');
  await compile(folder, packageFolder);
  await testNative(folder);
  writeFileSync(doneFile(folder), `${new Date().toISOString()}\n`);
  return { ...place, isBuilt: true };
}

/** Loads it in a process of its own, and computes with it. @throws ResweepError with the reason where that fails. */
export async function testNative(folder: string): Promise<void> {
  const output = await runTool(process.execPath, ['-e', LOADS], {
    cwd: folder,
    env: { TF_CPP_MIN_LOG_LEVEL: '2' },
    purpose: 'Trying the native TensorFlow',
  });
  if (!output.includes('tensorflow 3'))
    throw new ResweepError('NATIVE_BUILD', `The native TensorFlow was built, but answers "${output.slice(0, 100)}".`, {
      hint: `Remove ${folder} and try again.`,
    });
}

/** Python's command. @throws ResweepError naming all tools that are missing. */
async function requireTools(): Promise<string> {
  const python = (await hasTool('python3')) ? 'python3' : 'python';
  const needed = [
    ['python3 with pip', await hasTool(python, ['-m', 'pip', '--version'])],
    ['npm', await hasTool('npm')],
    ['make', await hasTool('make')],
    ['g++', await hasTool('g++')],
  ] as const;
  const missing = needed.filter(([, isThere]) => !isThere).map(([name]) => name);
  if (missing.length === 0) return python;
  throw new ResweepError('TOOL_MISSING', `The native TensorFlow is compiled here, which needs ${missing.join(', ')}.`, {
    hint: 'Debian, Ubuntu: sudo apt-get install -y python3-pip make g++. Fedora: sudo dnf install -y python3-pip make gcc-c++.',
  });
}

/** The folder `deps/` of the package, as its build file wants it. */
function layOut(packageFolder: string, library: string): void {
  const deps = join(packageFolder, 'deps');
  rmSync(deps, { recursive: true, force: true });
  mkdirSync(join(deps, 'lib'), { recursive: true });
  symlinkSync(join(library, 'include'), join(deps, 'include'));
  for (const [name, target] of [
    ['libtensorflow_cc.so.2', join(library, 'lib', 'libtensorflow_cc.so.2')],
    ['libtensorflow_framework.so.2', join(library, 'lib', 'libtensorflow_framework.so.2')],
    ['libtensorflow.so', 'libtensorflow_cc.so.2'],
    ['libtensorflow_framework.so', 'libtensorflow_framework.so.2'],
  ] as const) {
    symlinkSync(target, join(deps, 'lib', name));
  }
}

async function compile(folder: string, packageFolder: string): Promise<void> {
  const script = join(folder, 'node_modules', '@mapbox', 'node-pre-gyp', 'bin', 'node-pre-gyp');
  const global = (await runTool('npm', ['root', '--global'], { purpose: 'Looking for node-gyp' })).trim();
  const nodeGyp = join(global, 'npm', 'node_modules', 'node-gyp', 'bin', 'node-gyp.js');
  await runTool(process.execPath, [script, 'install', '--build-from-source'], {
    cwd: packageFolder,
    env: {
      ...headersOfThisNode(),
      ...(existsSync(nodeGyp) && process.env['npm_config_node_gyp'] === undefined
        ? { npm_config_node_gyp: nodeGyp }
        : {}),
    },
    purpose: 'Compiling the binding',
  });
}

/** Node's headers where they lie beside it, so that compiling needs no download. */
function headersOfThisNode(): Record<string, string> {
  if (process.env['npm_config_nodedir'] !== undefined) return {};
  const prefix = dirname(dirname(process.execPath));
  try {
    const header = readFileSync(join(prefix, 'include', 'node', 'node_version.h'), 'utf8');
    const part = (name: string): string => new RegExp(`#define NODE_${name}_VERSION (\\d+)`).exec(header)?.[1] ?? '';
    const version = [part('MAJOR'), part('MINOR'), part('PATCH')].join('.');
    return version === process.versions.node ? { npm_config_nodedir: prefix } : {};
  } catch {
    return {};
  }
}
