import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import type * as Sdk from '@aws-sdk/client-s3';

/** What the servers accept. */
export const S3_ENVIRONMENT = {
  AWS_ACCESS_KEY_ID: 'accesskey12345678',
  AWS_SECRET_ACCESS_KEY: 'secretkey12345678',
  AWS_REGION: 'us-east-1',
  AWS_EC2_METADATA_DISABLED: 'true',
};

export interface S3Server {
  readonly url: string;
  /** Makes an empty bucket. */
  readonly makeBucket: (name: string) => Promise<void>;
  /** Removes a bucket with everything in it. */
  readonly removeBucket: (name: string) => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** Whether the lane has prepared a Python with the servers. */
export function hasS3Servers(): boolean {
  return process.env['RESWEEP_PYTHON'] !== undefined;
}

/** Moto: conditional writes, multipart, versioning, archive classes; all in memory. */
export async function startMoto(): Promise<S3Server> {
  const port = await freePort();
  return started(program('moto_server'), ['-H', '127.0.0.1', '-p', String(port)], port, () => undefined);
}

/** `rclone serve s3` on a folder of its own: rejects wrong MD5s and signatures, knows no conditions. */
export async function startRclone(): Promise<S3Server & { readonly folder: string }> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'resweep-rclone-'));
  const key = `${S3_ENVIRONMENT.AWS_ACCESS_KEY_ID},${S3_ENVIRONMENT.AWS_SECRET_ACCESS_KEY}`;
  const args = [
    'serve',
    's3',
    '--config',
    '',
    '--addr',
    `127.0.0.1:${port}`,
    '--auth-key',
    key,
    '--vfs-cache-mode',
    'off',
  ];
  const server = await started(program('rclone'), [...args, folder], port, () => {
    rmSync(folder, { recursive: true, force: true });
  });
  return { ...server, folder };
}

function program(name: string): string {
  return join(dirname(process.env['RESWEEP_PYTHON'] ?? ''), name);
}

async function started(command: string, args: readonly string[], port: number, cleanUp: () => void): Promise<S3Server> {
  const child: ChildProcess = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let output = '';
  const server = { isAlive: true };
  child.once('exit', () => (server.isAlive = false));
  child.once('error', (error) => {
    server.isAlive = false;
    output += error.message;
  });
  child.stderr?.on('data', (data: Buffer) => (output = (output + data.toString()).slice(-2_000)));
  const url = `http://127.0.0.1:${port}`;
  for (const deadline = performance.now() + 60_000; ;) {
    if (!server.isAlive || performance.now() > deadline) throw new Error(`${command} did not start: ${output}`);
    if (
      await fetch(url).then(
        () => true,
        () => false,
      )
    )
      break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const administer = async (work: (sdk: typeof Sdk, client: Sdk.S3Client) => Promise<unknown>): Promise<void> => {
    const sdk = await import('@aws-sdk/client-s3');
    const client = new sdk.S3Client({ endpoint: url, region: 'us-east-1', forcePathStyle: true });
    await work(sdk, client);
    client.destroy();
  };
  return {
    url,
    makeBucket: (Bucket) => administer((sdk, client) => client.send(new sdk.CreateBucketCommand({ Bucket }))),
    removeBucket: (Bucket) =>
      administer(async (sdk, client) => {
        const { Contents = [] } = await client.send(new sdk.ListObjectsV2Command({ Bucket }));
        for (const { Key } of Contents) await client.send(new sdk.DeleteObjectCommand({ Bucket, Key }));
        await client.send(new sdk.DeleteBucketCommand({ Bucket }));
      }),
    stop: async () => {
      if (child.exitCode === null) {
        const ended = new Promise((resolve) => child.once('exit', resolve));
        child.kill('SIGKILL');
        await ended;
      }
      cleanUp();
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
