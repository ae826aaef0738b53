import { execFileSync, spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const REPOSITORY = resolve(import.meta.dirname, '../../..');

/** Compiles a program of this folder with what it imports; gives back its path and a clean-up. */
export function compileProgram(name: string): { readonly file: string; readonly remove: () => void } {
  const out = mkdtempSync(join(tmpdir(), 'resweep-faults-'));
  writeFileSync(
    join(out, 'tsconfig.json'),
    JSON.stringify({
      extends: join(REPOSITORY, 'tsconfig.json'),
      compilerOptions: {
        noEmit: false,
        noCheck: true,
        rootDir: REPOSITORY,
        outDir: join(out, 'js'),
        typeRoots: [join(REPOSITORY, 'node_modules/@types')],
      },
      include: [],
      files: [join(REPOSITORY, 'test/lanes/faults', name)],
    }),
  );
  execFileSync(process.execPath, [join(REPOSITORY, 'node_modules/typescript/bin/tsc'), '-p', out], {
    stdio: 'inherit',
  });
  writeFileSync(join(out, 'js', 'package.json'), '{"type":"module"}');
  symlinkSync(join(REPOSITORY, 'node_modules'), join(out, 'js', 'node_modules'));
  return {
    file: join(out, 'js/test/lanes/faults', name.replace(/\.ts$/, '.js')),
    remove: () => {
      rmSync(out, { recursive: true, force: true });
    },
  };
}

export function hasStrace(): boolean {
  return existsSync('/usr/bin/strace') && spawnSync('strace', ['-e', 'trace=none', 'true']).status === 0;
}

/** Runs a program with a fault injected at the n-th of some system call, in whichever of its processes makes it. */
export function runWithFault(
  program: string,
  args: readonly string[],
  fault: { readonly calls: string; readonly inject: string; readonly when: number },
): SpawnSyncReturns<string> {
  const { calls, inject, when } = fault;
  const trace = [
    '-f',
    '-qq',
    '-o',
    '/dev/null',
    '-e',
    `trace=${calls}`,
    '-e',
    `inject=${calls}:${inject}:when=${when}`,
  ];
  return spawnSync('strace', [...trace, process.execPath, program, ...args], { encoding: 'utf8', timeout: 60_000 });
}
