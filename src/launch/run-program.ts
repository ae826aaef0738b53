import { spawn } from 'node:child_process';

import { messageOf } from '../core/errors.js';
import { LaunchError } from './launch-error.js';

export interface ProgramResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs an engine's own program to its end. @throws LaunchError where it is missing or takes longer than two minutes */
export async function runProgram(
  program: string,
  args: readonly string[],
  options: { input?: string; env?: Readonly<Record<string, string>> } = {},
): Promise<ProgramResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...options.env },
      timeout: 120_000,
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.once('error', (error: NodeJS.ErrnoException) => {
      const reason = error.code === 'ENOENT' ? 'it is not installed here' : messageOf(error);
      reject(new LaunchError(`${program} cannot be run: ${reason}.`, { cause: error }));
    });
    child.once('close', (code, signal) => {
      if (code === null)
        reject(new LaunchError(`${program} did not end by itself (${String(signal)}). ${stderr.trim()}`));
      else resolve({ code, stdout, stderr });
    });
    // One that ends without reading says why by its exit code.
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
  });
}

/** The same where any other exit code than 0 is an error. @throws LaunchError with what it said */
export async function mustRun(
  program: string,
  args: readonly string[],
  options: { input?: string; env?: Readonly<Record<string, string>> } = {},
): Promise<string> {
  const { code, stdout, stderr } = await runProgram(program, args, options);
  if (code === 0) return stdout;
  throw new LaunchError(`${program} refused (exit code ${code}): ${(stderr.trim() || stdout.trim()).slice(0, 2_000)}`);
}
