import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

import { signIn } from '../../app/backup/google-sign-in.js';
import type { AuthArguments } from '../arguments.js';
import { outputOf } from '../common-options.js';

/** `resweep auth google`. */
export async function auth(args: AuthArguments): Promise<void> {
  const output = outputOf(args);
  // Where the browser runs on another machine, the address that it could not open is copied here.
  const lines = args.browser ? undefined : createInterface({ input: process.stdin });
  try {
    const { file, scope } = await signIn({
      clientFile: args.client,
      scope: args.scope,
      pasted: lines,
      onUrl: (url) => {
        const say = output.verbosity === 'quiet' ? output.warn.bind(output) : output.info.bind(output);
        say(`Give consent at this address:\n\n${url}\n`);
        if (args.browser) openBrowser(url);
        else say('If the browser runs on another machine: paste the address it ends at (http://127.0.0.1:…) here.');
      },
    });
    if (output.json) output.document({ file, scope });
    output.print(`Signed in with scope ${scope}. Stored, readable by you alone: ${file}`);
  } finally {
    lines?.close();
    if (lines !== undefined) process.stdin.destroy(); // Else it would hold the process.
  }
}

/** The address is shown too: where no browser opens, nothing is lost. */
function openBrowser(url: string): void {
  const [program, ...args]: readonly [string, ...string[]] =
    process.platform === 'darwin'
      ? ['open', url]
      : process.platform === 'win32'
        ? ['rundll32', 'url.dll,FileProtocolHandler', url]
        : ['xdg-open', url];
  const child = spawn(program, args, { stdio: 'ignore', detached: true });
  child.once('error', () => undefined);
  child.unref();
}
