// A remote service as a process of its own, for bench/backup-remote.mjs: forked, with its kind (s3 or github) and the latency in
// milliseconds. Sends {options, env} of a destination when it listens, and on each message what it was asked since the last one.
// s3 is moto, of the Python that RESWEEP_PYTHON names.
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import ts from 'typescript';

const source = join(import.meta.dirname, '..', 'test', 'support');
const folder = mkdtempSync(join(tmpdir(), 'resweep-remote-server-'));
writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
symlinkSync(join(import.meta.dirname, '..', 'node_modules'), join(folder, 'node_modules'));
async function load(name) {
  const { outputText } = ts.transpileModule(readFileSync(join(source, `${name}.ts`), 'utf8'), {
    compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true },
  });
  const file = join(folder, `${name}.js`);
  writeFileSync(file, outputText);
  return import(pathToFileURL(file).href);
}
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

const [kind, latency] = process.argv.slice(2);
const { FaultProxy } = await load('fault-proxy');
const proxies = [];
async function proxied(url) {
  const proxy = await FaultProxy.start(url);
  proxy.delayMs = Number(latency);
  proxies.push(proxy);
  return proxy.url;
}

let ready;
let stop = () => undefined;
if (kind === 's3') {
  const { S3_ENVIRONMENT, startMoto } = await load('s3-servers');
  Object.assign(process.env, S3_ENVIRONMENT);
  const server = await startMoto();
  stop = server.stop;
  await server.makeBucket('bench');
  ready = { options: { bucket: 'bench', endpoint: await proxied(server.url) }, env: S3_ENVIRONMENT };
} else {
  const { GITHUB_TOKEN, GitHubServer, REPOSITORY } = await load('github-server');
  const server = await GitHubServer.start();
  server.uploadsUrl = await proxied(server.urlOf('uploads'));
  server.downloadsUrl = await proxied(server.urlOf('downloads'));
  const apiUrl = await proxied(server.urlOf('api'));
  ready = { options: { repository: REPOSITORY, apiUrl }, env: { GITHUB_TOKEN } };
}
process.on('message', () => {
  process.send(
    proxies.flatMap((proxy) =>
      proxy.requests.splice(0).map(({ at, method, url, requestBytes, replyBytes, status }) => ({
        at,
        method,
        url,
        requestBytes,
        replyBytes,
        status,
      })),
    ),
  );
});
process.on('disconnect', () => {
  void Promise.resolve(stop()).finally(() => process.exit());
});
process.send(ready);
