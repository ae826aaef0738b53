import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { at } from './paths.mjs';
import { npm, onPath, runCommand } from './run-command.mjs';
import { dim, duration, red, say, ticker, yellow } from './say.mjs';

const stampFile = at('node_modules', '.resweep-bootstrap.json');
const sqliteBinary = at('node_modules', 'better-sqlite3', 'build', 'Release', 'better_sqlite3.node');

const readJson = (path) => {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
};

/** What the installed packages depend on: the lockfile, and for compiled ones the platform and Node's binary interface. */
function wanted() {
  const lock = readFileSync(at('package-lock.json'));
  return {
    lock: createHash('sha256').update(lock).digest('hex'),
    platform: `${process.platform}-${process.arch}`,
    abi: process.versions.modules,
  };
}

/** 'nothing' to do, 'rebuild' compiled packages, or 'install' everything. Cheap: a hash and two reads. */
export function installState() {
  const want = wanted();
  const have = readJson(stampFile);
  if (have === undefined || have.lock !== want.lock || have.platform !== want.platform) {
    if (have !== undefined && have.platform !== want.platform) return 'install';
    if (!installedByHand()) return 'install';
  }
  if (!existsSync(sqliteBinary) || (have !== undefined && have.abi !== want.abi)) return 'rebuild';
  if (have?.lock !== want.lock || have.abi !== want.abi) stamp();
  return 'nothing';
}

/** Whether somebody ran `npm install` or `npm ci` already: every required package of the lockfile is there in its version. */
function installedByHand() {
  const locked = readJson(at('package-lock.json'))?.packages;
  const installed = readJson(at('node_modules', '.package-lock.json'))?.packages;
  if (locked === undefined || installed === undefined) return false;
  return Object.entries(locked).every(
    ([path, entry]) => path === '' || entry.optional === true || installed[path]?.version === entry.version,
  );
}

function stamp() {
  writeFileSync(stampFile, `${JSON.stringify(wanted())}\n`);
}

/** Installs or rebuilds. Returns whether it worked; says what it does, how long that takes and how long it took. */
export async function install(state) {
  const start = Date.now();
  const rebuild = state === 'rebuild';
  const packages = Object.keys(readJson(at('package-lock.json'))?.packages ?? {}).length;
  say(
    rebuild
      ? `Compiling better-sqlite3 for Node ${process.versions.node} (npm rebuild): usually about a minute.`
      : `Installing up to ${packages} packages (npm ci): usually half a minute, and about a minute more where the SQLite library has to be compiled.`,
  );
  const [command, args] = npm(rebuild ? ['rebuild', 'better-sqlite3'] : ['ci', '--no-progress']);
  const notes = [];
  const stop = ticker(() => {
    if (
      !rebuild &&
      existsSync(at('node_modules', 'better-sqlite3', 'build', 'Makefile')) &&
      !existsSync(sqliteBinary)
    ) {
      return 'compiling SQLite (no ready-made binary could be had for this machine)';
    }
    return rebuild ? 'compiling' : 'installing';
  });
  const { code, output } = await runCommand(command, args, {
    env: { ...headersOfThisNode(), npm_config_yes: 'true', CI: process.env.CI ?? '' },
    onLine: (line) => {
      // npm repeats warnings about the person's own settings at every call: none of this project's business.
      if (/^npm warn (?!Unknown (user|env|cli|builtin|global) config)/i.test(line)) notes.push(line);
    },
  });
  stop();
  for (const note of notes) say(dim(`  ${note}`));
  if (code !== 0 || !existsSync(sqliteBinary)) {
    explainFailure(output, rebuild);
    return false;
  }
  stamp();
  say(`  done in ${duration(Date.now() - start)}.`);
  if (!rebuild) sayBackend();
  return true;
}

/** Node's headers where they lie beside it, so that compiling needs no download. */
function headersOfThisNode() {
  if (process.env.npm_config_nodedir !== undefined) return {};
  const prefix = dirname(dirname(process.execPath));
  try {
    const header = readFileSync(join(prefix, 'include', 'node', 'node_version.h'), 'utf8');
    const part = (name) => new RegExp(`#define NODE_${name}_VERSION (\\d+)`).exec(header)?.[1];
    const version = [part('MAJOR'), part('MINOR'), part('PATCH')].join('.');
    return version === process.versions.node ? { npm_config_nodedir: prefix } : {};
  } catch {
    return {};
  }
}

/** Said after an installation only: which of TensorFlow's backends this machine got. */
function sayBackend() {
  const has = (name) => existsSync(at('node_modules', '@tensorflow', name, 'package.json'));
  if (has('tfjs-node')) return;
  if (!has('tfjs-core')) {
    say(yellow('  TensorFlow.js was left out: only `command` and `module` objectives will run. `npm ci` adds it.'));
    return;
  }
  const backend = has('tfjs-backend-wasm') ? 'WebAssembly (for small networks the faster one)' : 'plain JavaScript';
  say(`  TensorFlow's native library could not be installed here: training will run on ${backend}.`);
}

function explainFailure(output, rebuild) {
  const lines = output.trimEnd().split('\n');
  const compiling = rebuild || /gyp ERR|node-gyp|better-sqlite3/.test(output);
  say(
    dim(
      lines
        .slice(-25)
        .map((line) => `  ${line}`)
        .join('\n'),
    ),
  );
  say();
  if (!compiling) {
    say(red('Installing the packages failed (the last lines of npm stand above).'));
    say('Is the npm registry reachable (npm ping)? Then run the same command again; it goes on from what is there.');
    return;
  }
  const missing = [
    ['python3', ['python3', 'python', 'python.exe']],
    ['make', ['make', 'gmake', 'msbuild.exe']],
    ['g++', ['g++', 'c++', 'clang++', 'cl.exe']],
  ]
    .filter(([, names]) => !names.some(onPath))
    .map(([name]) => name);
  say(red('better-sqlite3 (the SQLite library) could not be compiled, and no ready-made binary could be downloaded.'));
  say(
    missing.length > 0
      ? `Not found on this machine: ${missing.join(', ')}.`
      : 'python3, make and g++ are there; the compiler needs C++20 (g++ 10 or newer), and the error stands above.',
  );
  say('  Debian, Ubuntu:  sudo apt-get install -y python3 make g++');
  say('  Fedora, RHEL:    sudo dnf install -y python3 make gcc-c++');
  say('  macOS:           xcode-select --install');
  say('Then run the same command again.');
}
