/* Puts one file on a Drive, in a process that may be killed: ROOT_URL CREDENTIALS FILE SHA256. */
import { statSync } from 'node:fs';

import { createDestination } from '../../../src/backup/destinations/destination-registry.js';

const [rootUrl = '', credentials = '', file = '', sha256 = ''] = process.argv.slice(2);
const drive = createDestination('google-drive', { credentials, rootUrl }, { name: 'far', projectRoot: '/' });
await drive.put('checkpoints/large', { file, bytes: statSync(file).size }, { sha256 });
