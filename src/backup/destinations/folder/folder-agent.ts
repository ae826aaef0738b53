/** What the agent is told at its start. */
export interface FolderAgentSettings {
  /** Absolute path of the destination's folder. */
  readonly root: string;
  /** Folder that must be a mount point before anything is done; undefined where the folder lies on no known mount. */
  readonly mountPoint: string | undefined;
  /** Create `root` where it is missing (its parent must exist, unless it lies below `createBelow`). */
  readonly createBelow: string | undefined;
}

export interface FolderAgentRequest {
  readonly id: number;
  readonly op: 'check' | 'put' | 'get' | 'download' | 'checksum' | 'list' | 'remove';
  readonly key: string;
  readonly data?: Uint8Array | undefined;
  readonly file?: string | undefined;
  readonly bytes?: number | undefined;
  readonly sha256?: string | undefined;
  readonly ifAbsent?: boolean | undefined;
}

export interface FolderAgentReply {
  readonly id: number;
  readonly error?: { readonly code: string; readonly message: string } | undefined;
  readonly found?: boolean;
  readonly bytes?: number;
  readonly sha256?: string;
  readonly data?: Uint8Array;
  readonly objects?: readonly { readonly key: string; readonly bytes: number }[];
  readonly folders?: readonly string[];
  /** True where the file system is a local one: bytes read back are bytes on this machine's disk. */
  readonly local?: boolean;
  /** Number of the device of the folder. */
  readonly device?: number | undefined;
}

/**
 * The program of the child process that does all file work of a folder destination. A call into a dead mount never returns
 * and cannot be interrupted: in this process it would hold a thread for good and even stop `process.exit`. A child can be
 * left behind and killed; it also runs at the lowest priority, so trials keep the processors.
 *
 * The function is sent as text (`node -e`), so it uses nothing from outside itself.
 */
export function folderAgent(settings: FolderAgentSettings): void {
  const fs = process.getBuiltinModule('node:fs');
  const path = process.getBuiltinModule('node:path');
  const os = process.getBuiltinModule('node:os');
  const { createHash, randomBytes } = process.getBuiltinModule('node:crypto');
  const { root, mountPoint, createBelow } = settings;
  const BLOCK = 1 << 20;
  const PART = '.part-';
  /** File systems of a local disk or memory, by the number that statfs gives. */
  const LOCAL = new Set([
    0xef53, 0x58465342, 0x9123683e, 0x01021994, 0x794c7630, 0x2fc12fc1, 0xf2f52010, 0x4d44, 0x3153464a, 0x52654973,
    0x858458f6, 0x5346544e, 0x7366746e, 0xca451a4e,
  ]);
  let device: number | undefined;

  class AgentError extends Error {
    constructor(
      readonly code: string,
      message: string,
    ) {
      super(message);
    }
  }

  function isMounted(folder: string): boolean {
    if (process.platform === 'linux') {
      return fs
        .readFileSync('/proc/self/mountinfo', 'utf8')
        .split('\n')
        .some((line) => line.split(' ')[4]?.replace(/\\040/g, ' ') === folder);
    }
    if (process.platform === 'win32') return fs.existsSync(folder);
    const here = fs.lstatSync(folder, { throwIfNoEntry: false });
    if (here === undefined) return false;
    // Drive for desktop keeps its tree in a file provider of the same device; there, existence is what can be seen.
    return folder.includes('/CloudStorage/') || here.dev !== fs.statSync(path.dirname(folder)).dev;
  }

  /** Makes sure that the folder is what it was: mounted, there, on the same device. Never creates a mount point. */
  function ready(): boolean {
    if (mountPoint !== undefined && !isMounted(mountPoint)) {
      throw new AgentError('NOT_MOUNTED', `${mountPoint} is not mounted.`);
    }
    let stats = fs.statSync(root, { throwIfNoEntry: false });
    if (stats === undefined && device === undefined) {
      // Only a plain folder's last step is made, or what lies in the project or on the mount: a missing disk stays missing.
      const base = mountPoint ?? createBelow;
      const below = base !== undefined && path.relative(base, root).split(path.sep)[0] !== '..';
      if (!below && !fs.existsSync(path.dirname(root))) {
        throw new AgentError('NO_FOLDER', `${path.dirname(root)} does not exist.`);
      }
      fs.mkdirSync(root, { recursive: below });
      stats = fs.statSync(root);
    }
    if (stats === undefined) throw new AgentError('NO_FOLDER', `${root} has gone.`);
    if (!stats.isDirectory()) throw new AgentError('ENOTDIR', `${root} is not a folder.`);
    device ??= stats.dev;
    if (stats.dev !== device) throw new AgentError('NOT_MOUNTED', `${root} is on another file system than before.`);
    return mountPoint === undefined && (process.platform !== 'linux' || LOCAL.has(fs.statfsSync(root).type));
  }

  /** Refuses to go through a link below the root. */
  function place(key: string, makeFolders: boolean): string | undefined {
    let folder = root;
    const segments = key.split('/').filter((segment) => segment !== '');
    const last = segments.pop();
    for (const segment of segments) {
      folder = path.join(folder, segment);
      let stats = fs.lstatSync(folder, { throwIfNoEntry: false });
      if (stats === undefined) {
        if (!makeFolders) return undefined;
        try {
          fs.mkdirSync(folder);
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
        }
        stats = fs.lstatSync(folder);
      }
      if (stats.isSymbolicLink()) throw new AgentError('LINK', `${folder} is a link: not followed.`);
    }
    const full = path.join(folder, last ?? '');
    if (fs.lstatSync(full, { throwIfNoEntry: false })?.isSymbolicLink() === true) {
      throw new AgentError('LINK', `${full} is a link: not followed.`);
    }
    return full;
  }

  function digest(file: string): { bytes: number; sha256: string } {
    const handle = fs.openSync(file, 'r');
    try {
      const hash = createHash('sha256');
      const block = Buffer.allocUnsafe(BLOCK);
      let bytes = 0;
      for (let read = 1; read > 0; bytes += read) {
        read = fs.readSync(handle, block, 0, BLOCK, null);
        hash.update(block.subarray(0, read));
      }
      return { bytes, sha256: hash.digest('hex') };
    } finally {
      fs.closeSync(handle);
    }
  }

  function writeAll(handle: number, data: Uint8Array): void {
    for (let written = 0; written < data.length;) written += fs.writeSync(handle, data, written);
  }

  function syncFolder(folder: string): void {
    let handle: number;
    try {
      handle = fs.openSync(folder, 'r');
    } catch {
      return; // Windows cannot open a folder.
    }
    try {
      fs.fsyncSync(handle);
    } catch {
      // Some mounts cannot sync a folder; the file itself was synced.
    } finally {
      fs.closeSync(handle);
    }
  }

  /** What fails on the disk of this machine is no fault of the folder's. */
  function here<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw new AgentError('LOCAL_FILE', (error as Error).message);
    }
  }

  /** Copies into a new file and syncs it; what fails leaves nothing. `writing` is around all that is done with the new file. */
  function copyInto(
    target: string,
    from: string | Uint8Array,
    writing: <T>(work: () => T) => T = (work) => work(),
  ): { bytes: number; sha256: string } {
    const output = writing(() => fs.openSync(target, 'wx'));
    const hash = createHash('sha256');
    let bytes = 0;
    try {
      if (typeof from === 'string') {
        const input = fs.openSync(from, 'r');
        try {
          const block = Buffer.allocUnsafe(BLOCK);
          for (let read = 1; read > 0; bytes += read) {
            read = fs.readSync(input, block, 0, BLOCK, null);
            hash.update(block.subarray(0, read));
            writing(() => {
              writeAll(output, block.subarray(0, read));
            });
          }
        } finally {
          fs.closeSync(input);
        }
      } else {
        writeAll(output, from);
        hash.update(from);
        bytes = from.length;
      }
      writing(() => {
        fs.fsyncSync(output);
      });
    } catch (error) {
      fs.closeSync(output);
      fs.rmSync(target, { force: true });
      throw error;
    }
    fs.closeSync(output);
    return { bytes, sha256: hash.digest('hex') };
  }

  function put(request: FolderAgentRequest): Partial<FolderAgentReply> {
    const target = place(request.key, true) ?? '';
    const part = path.join(path.dirname(target), `${PART}${process.pid}-${randomBytes(6).toString('hex')}`);
    let sent: { bytes: number; sha256: string };
    try {
      sent = copyInto(part, request.file ?? request.data ?? new Uint8Array());
    } catch (error) {
      if (request.file !== undefined && !fs.existsSync(request.file)) {
        throw new AgentError('SOURCE_CHANGED', `${request.file} has gone.`);
      }
      throw error;
    }
    try {
      if (sent.sha256 !== request.sha256) {
        throw new AgentError('SOURCE_CHANGED', `${request.file ?? request.key} changed while it was read.`);
      }
      const back = digest(part);
      if (back.sha256 !== sent.sha256 || back.bytes !== sent.bytes) {
        throw new AgentError('READ_BACK', `${request.key} came back with other bytes than were written.`);
      }
      if (request.ifAbsent === true) {
        try {
          fs.linkSync(part, target); // Fails where the name is taken, atomically.
        } catch (error) {
          const code = (error as NodeJS.ErrnoException).code;
          if (code === 'EEXIST') throw error;
          // Mounts without hard links: as near to exclusive as they allow.
          if (fs.existsSync(target)) throw new AgentError('EEXIST', `${request.key} exists.`);
          fs.renameSync(part, target);
        }
      } else {
        fs.renameSync(part, target);
      }
    } finally {
      fs.rmSync(part, { force: true });
    }
    syncFolder(path.dirname(target));
    return { bytes: sent.bytes, sha256: sent.sha256 };
  }

  function isFile(file: string | undefined): file is string {
    return file !== undefined && fs.lstatSync(file, { throwIfNoEntry: false })?.isFile() === true;
  }

  function list(prefix: string): Partial<FolderAgentReply> {
    const folder = place(`${prefix}x`, false);
    if (folder === undefined) return { objects: [], folders: [] };
    let entries;
    try {
      entries = fs.readdirSync(path.dirname(folder), { withFileTypes: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { objects: [], folders: [] };
      throw error;
    }
    const folders: string[] = [];
    const objects: { key: string; bytes: number }[] = [];
    const old = Date.now() - 24 * 3600 * 1000;
    for (const entry of entries) {
      const full = path.join(path.dirname(folder), entry.name);
      if (entry.isDirectory()) folders.push(entry.name);
      if (!entry.isFile()) continue;
      const stats = fs.lstatSync(full, { throwIfNoEntry: false });
      if (stats === undefined) continue;
      if (!entry.name.startsWith(PART)) objects.push({ key: `${prefix}${entry.name}`, bytes: stats.size });
      // What a killed process left behind.
      else if (stats.mtimeMs < old) fs.rmSync(full, { force: true });
    }
    return {
      objects: objects.sort((a, b) => (a.key < b.key ? -1 : 1)),
      folders: folders.sort(),
    };
  }

  function run(request: FolderAgentRequest): Partial<FolderAgentReply> {
    const local = ready();
    switch (request.op) {
      case 'check':
        fs.accessSync(root, fs.constants.R_OK | fs.constants.X_OK);
        return { local, device };
      case 'put':
        return { local, device, ...put(request) };
      case 'list':
        return list(request.key);
      case 'remove': {
        const file = place(request.key, false);
        if (file !== undefined) fs.rmSync(file, { force: true });
        return {};
      }
      default: {
        const file = place(request.key, false);
        if (!isFile(file)) return { found: false };
        if (request.op === 'get') return { found: true, data: fs.readFileSync(file) };
        if (request.op === 'checksum') return { found: true, ...digest(file) };
        return { found: true, ...copyInto(request.file ?? '', file, here) };
      }
    }
  }

  try {
    os.setPriority(process.pid, 19);
  } catch {
    // Not allowed everywhere, and not needed.
  }
  // An interrupt of the terminal goes to the whole group; the parent decides when this process ends.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => undefined);
  process.on('disconnect', () => {
    process.exit(0);
  });
  process.on('message', (message) => {
    const request = message as FolderAgentRequest;
    let reply: FolderAgentReply;
    try {
      reply = { id: request.id, ...run(request) };
    } catch (error) {
      const { code, message: text } = error as NodeJS.ErrnoException;
      reply = { id: request.id, error: { code: code ?? 'FAILED', message: text } };
    }
    process.send?.(reply);
  });
}
