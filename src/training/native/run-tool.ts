import { spawn } from 'node:child_process';

import { ResweepError } from '../../core/errors.js';

export interface ToolOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What it was to do, for the message where it fails. */
  readonly purpose: string;
}

/**
 * Runs a program to its end and gives what it wrote to stdout.
 * @throws ResweepError `TOOL_MISSING` where there is no such program, `TOOL_FAILED` with its last lines where it fails.
 */
export function runTool(program: string, args: readonly string[], options: ToolOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    let all = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      all += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      all += chunk.toString();
    });
    child.once('error', (error) => {
      reject(new ResweepError('TOOL_MISSING', `${options.purpose}: ${program} cannot be run.`, { cause: error }));
    });
    child.once('close', (code) => {
      if (code === 0) {
        resolve(output);
        return;
      }
      const lines = all.trim().split('\n').slice(-8).join('\n  ');
      reject(
        new ResweepError('TOOL_FAILED', `${options.purpose}: ${program} ended with ${code ?? 'a signal'}.\n  ${lines}`),
      );
    });
  });
}

/** Whether a program can be run. */
export async function hasTool(program: string, args: readonly string[] = ['--version']): Promise<boolean> {
  return runTool(program, args, { purpose: 'Looking for it' }).then(
    () => true,
    () => false,
  );
}
