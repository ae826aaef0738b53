import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { ServerName } from './server-databases.js';

/** A server of a test's own, that it may stop, kill and start again. */
export interface OwnServer {
  /** URL of its first database. */
  readonly url: string;
  start(): Promise<void>;
  /** Ends it as a power cut would. */
  kill(): Promise<void>;
  remove(): Promise<void>;
}

/** Makes and starts one in a folder of its own; these programs do not run as root, so they get a user of theirs. */
export async function ownServer(server: ServerName, settings: readonly string[] = []): Promise<OwnServer> {
  const user = server === 'PostgreSQL' ? 'postgres' : 'mysql';
  const [uid, gid] = ['-u', '-g'].map((flag) => Number(execFileSync('id', [flag, user], { encoding: 'utf8' })));
  const folder = mkdtempSync(join(tmpdir(), 'resweep-server-'));
  chmodSync(folder, 0o755);
  if (uid !== undefined && gid !== undefined) chownSync(folder, uid, gid);
  const as = { uid: uid ?? 0, gid: gid ?? 0, cwd: folder };
  const port = await freePort();
  const data = join(folder, 'data');
  const [program, args] = server === 'PostgreSQL' ? postgres(data, folder, port) : mariadb(data, folder, port);
  if (server === 'PostgreSQL')
    execFileSync(join(postgresBin(), 'initdb'), ['-A', 'trust', '-U', 'postgres', '--no-sync', '-D', data], {
      ...as,
      stdio: 'ignore',
    });
  else
    execFileSync('mariadb-install-db', [`--datadir=${data}`, '--auth-root-authentication-method=normal'], {
      ...as,
      stdio: 'ignore',
    });
  let child: ChildProcess | undefined;
  const own: OwnServer = {
    url:
      server === 'PostgreSQL'
        ? `postgresql://postgres@127.0.0.1:${port}/postgres`
        : `mysql://root@127.0.0.1:${port}/mysql`,
    start: async () => {
      child = spawn(program, [...args, ...settings], { ...as, stdio: 'ignore' });
      await answers(port);
      if (server === 'PostgreSQL') await isReady(port);
    },
    kill: async () => {
      const running = child;
      child = undefined;
      if (running?.exitCode !== null) return;
      const ended = new Promise((resolve) => running.once('exit', resolve));
      // PostgreSQL's own way of a crash: its children must not outlive it.
      running.kill(server === 'PostgreSQL' ? 'SIGQUIT' : 'SIGKILL');
      await ended;
    },
    remove: async () => {
      await own.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await own.start();
  return own;
}

function postgresBin(): string {
  const root = '/usr/lib/postgresql';
  const newest = readdirSync(root).sort((a, b) => Number(b) - Number(a))[0];
  if (newest === undefined) throw new Error(`No PostgreSQL under ${root}.`);
  return join(root, newest, 'bin');
}

function postgres(data: string, folder: string, port: number): [string, string[]] {
  return [join(postgresBin(), 'postgres'), ['-D', data, '-p', String(port), '-k', folder, '-h', '127.0.0.1']];
}

function mariadb(data: string, folder: string, port: number): [string, string[]] {
  const socket = join(folder, 'socket');
  return [
    '/usr/sbin/mariadbd',
    ['--no-defaults', `--datadir=${data}`, `--socket=${socket}`, '--bind-address=127.0.0.1', `--port=${port}`],
  ];
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A PostgreSQL that listens may still be starting. */
async function isReady(port: number): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    const { status } = spawnSync(join(postgresBin(), 'pg_isready'), ['-q', '-h', '127.0.0.1', '-p', String(port)]);
    if (status === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('PostgreSQL does not become ready.');
}

async function answers(port: number): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    const isUp = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('connect', () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => {
        resolve(false);
      });
    });
    if (isUp) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`The server at port ${port} does not come up.`);
}
