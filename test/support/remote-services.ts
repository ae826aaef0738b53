import type { Destination } from '../../src/backup/destinations/destination.js';
import { GitHubDestination } from '../../src/backup/destinations/github/github-destination.js';
import { S3Destination } from '../../src/backup/destinations/s3/s3-destination.js';
import { DriveBench } from './drive-destination.js';
import { FaultProxy, type Fault, type SeenRequest } from './fault-proxy.js';
import { GitHubServer, REPOSITORY } from './github-server.js';
import type { S3Server } from './s3-servers.js';

/** A service behind proxies: requests that send and that fetch bytes may pass through different ones. */
export interface RemoteService {
  /** An empty place, on a network without faults. */
  readonly open: () => Promise<Destination>;
  readonly sends: () => FaultProxy;
  readonly fetches: () => FaultProxy;
  /** Whether a request sends an object. */
  readonly isSend: (request: SeenRequest) => boolean;
  readonly isFetch: (request: SeenRequest) => boolean;
  /** How this service words a refusal; `word` is its own code, or message. */
  readonly refusal: (status: number, word: string, headers?: Record<string, string>) => Fault;
  readonly start: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

export function s3Service(start: () => Promise<S3Server>): RemoteService {
  let server: S3Server;
  let proxy: FaultProxy;
  let buckets = 0;
  return {
    start: async () => {
      server = await start();
      proxy = await FaultProxy.start(server.url);
    },
    stop: async () => {
      await proxy.close();
      await server.stop();
    },
    open: async () => {
      const bucket = `faults-${++buckets}`;
      await server.makeBucket(bucket);
      proxy.reset();
      const destination = new S3Destination({ name: 'remote', bucket, endpoint: proxy.url, region: 'us-east-1' });
      await destination.check();
      return destination;
    },
    sends: () => proxy,
    fetches: () => proxy,
    isSend: ({ method, url }) => method === 'PUT' && !url.includes('probe'),
    isFetch: ({ method, url }) => method === 'GET' && !url.includes('list-type'),
    refusal: (status, word, headers = {}) => ({
      reply: {
        status,
        headers: { 'content-type': 'application/xml', ...headers },
        body: `<?xml version="1.0"?><Error><Code>${word}</Code><Message>planted</Message></Error>`,
      },
    }),
  };
}

/** `tokenEnv`: variable with the token. */
export function githubService(tokenEnv: string): RemoteService {
  let server: GitHubServer;
  let api: FaultProxy;
  let uploads: FaultProxy;
  let downloads: FaultProxy;
  let projects = 0;
  return {
    start: async () => {
      server = await GitHubServer.start();
      [api, uploads, downloads] = (await Promise.all(
        (['api', 'uploads', 'downloads'] as const).map((host) => FaultProxy.start(server.urlOf(host))),
      )) as [FaultProxy, FaultProxy, FaultProxy];
      server.uploadsUrl = uploads.url;
      server.downloadsUrl = downloads.url;
    },
    stop: async () => {
      for (const proxy of [api, uploads, downloads]) await proxy.close();
      await server.close();
    },
    open: async () => {
      for (const proxy of [api, uploads, downloads]) proxy.reset();
      const destination = new GitHubDestination({
        ...{ name: 'remote', repository: REPOSITORY, apiUrl: api.url, project: `p${++projects}` },
        tokenEnv,
      });
      await destination.check();
      return destination;
    },
    sends: () => uploads,
    fetches: () => downloads,
    isSend: ({ method }) => method === 'POST',
    isFetch: ({ method }) => method === 'GET',
    refusal: (status, message, headers = {}) => ({
      reply: { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify({ message }) },
    }),
  };
}

export function driveService(): RemoteService {
  let bench: DriveBench;
  let proxy: FaultProxy;
  let folders = 0;
  return {
    start: async () => {
      bench = await DriveBench.start();
      proxy = await FaultProxy.start(bench.server.url);
    },
    stop: async () => {
      await proxy.close();
      await bench.close();
    },
    open: async () => {
      proxy.reset();
      const folder = `faults-${++folders}`;
      const destination = bench.destination({ name: 'remote', folder, rootUrl: `${proxy.url}/` });
      await destination.check();
      return destination;
    },
    sends: () => proxy,
    fetches: () => proxy,
    isSend: ({ url }) => url.startsWith('/upload/'),
    isFetch: ({ method, url }) => method === 'GET' && url.includes('alt=media'),
    refusal: (status, reason, headers = {}) => ({
      reply: {
        status,
        headers: { 'content-type': 'application/json; charset=UTF-8', ...headers },
        body: JSON.stringify({ error: { code: status, message: 'planted', errors: [{ reason, message: 'planted' }] } }),
      },
    }),
  };
}
