import { randomBytes } from 'node:crypto';

import { afterAll, describe } from 'vitest';

import type { Destination } from '../../../src/backup/destinations/destination.js';
import { GitHubDestination } from '../../../src/backup/destinations/github/github-destination.js';
import { S3Destination } from '../../../src/backup/destinations/s3/s3-destination.js';
import { destinationContract } from '../../contracts/destination-contract.js';

/*
 * The contract against real accounts. Everything is written below a prefix (S3) or in releases (GitHub) of this run, and removed after it.
 *   RESWEEP_LIVE_S3_BUCKET, and RESWEEP_LIVE_S3_ENDPOINT for a service other than Amazon; credentials as the AWS SDK finds them
 *   RESWEEP_LIVE_GITHUB_REPOSITORY (owner/name, private), with GITHUB_TOKEN or GH_TOKEN
 */
const run = `resweep-live-${randomBytes(4).toString('hex')}`;
const bucket = process.env['RESWEEP_LIVE_S3_BUCKET'];
const endpoint = process.env['RESWEEP_LIVE_S3_ENDPOINT'];
const repository = process.env['RESWEEP_LIVE_GITHUB_REPOSITORY'];

async function empty(destination: Destination, prefix = ''): Promise<void> {
  const { objects, folders } = await destination.list(prefix);
  for (const { key } of objects) await destination.remove(key);
  for (const folder of folders) await empty(destination, `${prefix}${folder}/`);
}

function live(name: string, open: (project: string) => Destination): void {
  let number = 0;
  const made: string[] = [];
  destinationContract(name, () => {
    const project = `${run}-${++number}`;
    made.push(project);
    return Promise.resolve({
      destination: open(project),
      again: () => open(project),
      cleanUp: () => empty(open(project)),
    });
  });
  afterAll(async () => {
    for (const project of made) await empty(open(project));
  });
}

describe.skipIf(bucket === undefined)('real S3', () => {
  live('real S3', (prefix) => new S3Destination({ name: 'live', bucket: bucket ?? '', endpoint, prefix }));
});

describe.skipIf(repository === undefined)('real GitHub', () => {
  live(
    'real GitHub',
    (project) => new GitHubDestination({ name: 'live', repository: repository ?? 'a/b', project, partBytes: 1 << 20 }),
  );
});
