import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

import { at, root } from './paths.mjs';

const running = new Set();
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
]) {
  process.on(signal, () => {
    for (const child of running) child.kill(signal);
    process.exit(code);
  });
}

/**
 * Runs a program. Its output is shown as it comes (`show: true`), and always returned.
 * @returns {Promise<{ code: number, output: string }>} code 127 where the program does not exist
 */
export function runCommand(command, args, { show = false, env = {}, cwd = root, onLine } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: process.platform === 'win32' && command.endsWith('.cmd'),
    });
    running.add(child);
    let output = '';
    let rest = '';
    const take = (stream) => (chunk) => {
      const text = String(chunk);
      output += text;
      if (show) stream.write(chunk);
      if (onLine === undefined) return;
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) onLine(line);
    };
    child.stdout.on('data', take(process.stdout));
    child.stderr.on('data', take(process.stderr));
    const end = (code) => {
      running.delete(child);
      if (rest !== '' && onLine !== undefined) onLine(rest);
      resolve({ code, output });
    };
    child.on('error', (error) => {
      output += `${error.message}\n`;
      end(127);
    });
    child.on('close', (code) => end(code ?? 1));
  });
}

/** The npm that called us, or the one on the path. */
export function npm(args) {
  const self = process.env.npm_execpath;
  if (self !== undefined && /npm-cli\.c?js$/.test(self) && existsSync(self)) return [process.execPath, [self, ...args]];
  return [process.platform === 'win32' ? 'npm.cmd' : 'npm', args];
}

/** A tool of node_modules, started without npx. */
export function tool(path, args) {
  return [process.execPath, [at('node_modules', path), ...args]];
}

/** Whether a program of this name is on the path. */
export function onPath(name) {
  return pathOf(name) !== undefined;
}

/** Path of a program that a shell would find; undefined where there is none. */
export function pathOf(name) {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path));
}
