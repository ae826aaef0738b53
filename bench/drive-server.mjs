// The Drive server of the tests as a process of its own, for bench/backup-drive.mjs: forked, with the latency in milliseconds. Sends
// {url, credentials} when it listens, and on each message what it was asked since the last one.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import ts from 'typescript';

const source = join(import.meta.dirname, '..', 'test', 'support', 'drive-server');
const folder = mkdtempSync(join(tmpdir(), 'resweep-drive-server-'));
writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
for (const name of readdirSync(source)) {
  const { outputText } = ts.transpileModule(readFileSync(join(source, name), 'utf8'), {
    compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true },
  });
  writeFileSync(join(folder, name.replace(/\.ts$/, '.js')), outputText);
}
const { DriveServer } = await import(pathToFileURL(join(folder, 'drive-server.js')).href);
rmSync(folder, { recursive: true });

const server = await DriveServer.start();
server.latencyMs = Number(process.argv[2]);
process.on('message', () => {
  process.send(
    server.requests
      .splice(0)
      .map(({ at, method, path, requestBytes, replyBytes }) => ({ at, method, path, requestBytes, replyBytes })),
  );
});
process.on('disconnect', () => process.exit());
process.send({ url: server.url, credentials: server.login() });
