import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { findCredentials } from '../../src/backup/destinations/google-drive/credentials.js';
import {
  GoogleDriveDestination,
  type GoogleDriveDestinationOptions,
} from '../../src/backup/destinations/google-drive/google-drive-destination.js';
import { DriveServer } from './drive-server/drive-server.js';

/** A Drive server, a folder for a user's files, and destinations that use them. */
export class DriveBench {
  readonly folder = mkdtempSync(join(tmpdir(), 'resweep-drive-'));
  readonly server: DriveServer;

  private constructor(server: DriveServer) {
    this.server = server;
  }

  static async start(): Promise<DriveBench> {
    return new DriveBench(await DriveServer.start());
  }

  /** A file with credentials. */
  credentials(document: Record<string, string> = this.server.login(), name = 'credentials.json'): string {
    const file = join(this.folder, name);
    writeFileSync(file, JSON.stringify(document));
    return file;
  }

  destination(
    options: Partial<GoogleDriveDestinationOptions> = {},
    credentials: Record<string, string> = this.server.login(),
  ): GoogleDriveDestination {
    const file = this.credentials(credentials);
    return new GoogleDriveDestination({
      name: 'drive',
      credentials: findCredentials('drive', { file, auth: 'auto', scope: 'drive.file' }),
      folder: 'resweep',
      rootUrl: this.server.url,
      partBytes: 1 << 20,
      settleMs: 20,
      stateFolder: join(this.folder, 'state'),
      ...options,
    });
  }

  async close(): Promise<void> {
    await this.server.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
