import { homedir } from 'node:os';
import { join } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

/** Folder of this user's settings, such as sign-ins: `~/.config/resweep`, or where the system keeps such. Not created here. */
export function userConfigFolder(env: Environment = process.env): string {
  const base =
    env['XDG_CONFIG_HOME'] ?? (process.platform === 'win32' ? env['APPDATA'] : undefined) ?? join(homedir(), '.config');
  return join(base, 'resweep');
}

/** Folder of what this user's processes keep between two runs: `~/.local/state/resweep`. Not created here. */
export function userStateFolder(env: Environment = process.env): string {
  const base =
    env['XDG_STATE_HOME'] ??
    (process.platform === 'win32' ? env['LOCALAPPDATA'] : undefined) ??
    join(homedir(), '.local', 'state');
  return join(base, 'resweep');
}
