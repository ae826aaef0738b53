import { lstatSync, readFileSync, readlinkSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join, parse, relative, resolve, sep } from 'node:path';

import { UsageError } from '../../core/errors.js';

/** A path lies where nothing may be backed up from: on a mounted Drive, in a destination, or outside the project. */
export class DrivePathError extends UsageError {
  readonly path: string;

  constructor(path: string, message: string, hint?: string) {
    super(message, { code: 'DRIVE_PATH', ...(hint === undefined ? {} : { hint }) });
    this.path = path;
  }
}

/** Where Google Drive is mounted when nobody says otherwise: Colab, then Drive for desktop on Linux and Windows. */
const KNOWN_MOUNTS = ['/content/drive', '/content/gdrive', '/Volumes/GoogleDrive'];
/** Drive for desktop: `~/Library/CloudStorage/GoogleDrive-name@example.com`, `G:\My Drive`, `G:\Shared drives`. */
const DESKTOP_MOUNT = /^(?:.*\/Library\/CloudStorage\/GoogleDrive-[^/]+|[a-z]:\/(?:my drive|shared drives))(?=\/|$)/i;

const IGNORES_CASE = process.platform === 'win32' || process.platform === 'darwin';

function comparable(path: string): string {
  const slashes = sep === '\\' ? path.replaceAll('\\', '/') : path;
  return IGNORES_CASE ? slashes.toLowerCase() : slashes;
}

/** Whether `path` is `folder` or lies in it, both absolute. Compares whole segments, with the system's idea of case. */
export function isInside(path: string, folder: string): boolean {
  const inner = comparable(path);
  const outer = comparable(folder).replace(/\/+$/, '');
  return inner === outer || inner.startsWith(`${outer}/`);
}

/**
 * The absolute path with the links of its longest existing ancestor resolved; what does not exist yet is appended as
 * written. A link that points to nothing is followed too. Never looks into a FUSE or network mount: a dead one would hold
 * this process for good.
 */
export function resolveLinks(path: string, untouched: ReadonlySet<string> = remoteMounts()): string {
  let resolved = parse(resolve(path)).root;
  const segments = resolve(path).slice(resolved.length).split(sep).filter(Boolean);
  for (let links = 0; ;) {
    const segment = segments.shift();
    if (segment === undefined) return resolved;
    const next = join(resolved, segment);
    const link = untouched.has(next) ? undefined : linkTarget(next);
    if (link === undefined) {
      resolved = next;
      if (untouched.has(next)) return join(next, ...segments);
      continue;
    }
    if (++links > 40) return resolve(path); // A circle; whoever opens it gets the error.
    const target = resolve(resolved, link);
    resolved = parse(target).root;
    segments.unshift(...target.slice(resolved.length).split(sep).filter(Boolean));
  }
}

function linkTarget(path: string): string | undefined {
  try {
    return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : undefined;
  } catch {
    return undefined; // Missing, or not to be seen: taken as written.
  }
}

/** Mount points of FUSE and network file systems, where the system tells. */
function remoteMounts(): ReadonlySet<string> {
  let table: string;
  try {
    table = readFileSync('/proc/self/mountinfo', 'utf8');
  } catch {
    return new Set();
  }
  const found = new Set<string>();
  for (const line of table.split('\n')) {
    const [place = '', source = ''] = line.split(' - ');
    const mountPoint = place.split(' ')[4];
    if (mountPoint !== undefined && /^(fuse|nfs|cifs|smb|9p|afs|ceph|gluster|lustre)/.test(source)) {
      found.add(mountPoint.replaceAll('\\040', ' '));
    }
  }
  return found;
}

/** The mount of a Drive in whose tree `path` lies, as it is spelled in the path. Undefined where it lies on none. */
export function driveMountOf(path: string, mounts: readonly string[] = []): string | undefined {
  const candidates = [...KNOWN_MOUNTS, join(homedir(), 'Google Drive'), ...mounts].flatMap((mount) => {
    const absolute = resolve(mount);
    const resolved = resolveLinks(mount);
    return absolute === resolved ? [absolute] : [absolute, resolved];
  });
  for (const spelling of [resolve(path), resolveLinks(path)]) {
    const desktop = DESKTOP_MOUNT.exec(sep === '\\' ? spelling.replaceAll('\\', '/') : spelling)?.[0];
    if (desktop !== undefined) return desktop;
    const mount = candidates.find((candidate) => isInside(spelling, candidate));
    if (mount !== undefined) return mount;
  }
  return undefined;
}

/**
 * Whether a path lies under a mounted Google Drive: one of the known mounts (`/content/drive`, Drive for desktop, …) or of
 * `mounts`. Resolves the links of the longest existing ancestor; maps nothing: a local path that a backup would carry to
 * Drive is not a Drive path.
 */
export function isDrivePath(path: string, mounts: readonly string[] = []): boolean {
  return driveMountOf(path, mounts) !== undefined;
}

/**
 * The key of a local path: relative to the project root, with `/`.
 * @throws DrivePathError for a Drive path, one outside the project root, the root itself, and one that is, holds or lies in
 *   a folder destination.
 */
export function targetOf(
  path: string,
  place: {
    readonly projectRoot: string;
    readonly mounts?: readonly string[];
    readonly destinationFolders?: readonly string[];
  },
): string {
  const mount = driveMountOf(path, place.mounts);
  if (mount !== undefined) {
    throw new DrivePathError(
      path,
      `${path} lies on the mounted Drive ${mount}: it is never the source of a backup.`,
      'Keep studies on a local disk; the backup carries them to Drive.',
    );
  }
  const root = resolveLinks(place.projectRoot);
  const resolved = resolveLinks(path);
  const below = relative(root, resolved);
  if (below === '' || below === '..' || below.startsWith(`..${sep}`) || isAbsolute(below)) {
    throw new DrivePathError(path, `${path} does not lie below the project root ${root}.`);
  }
  for (const folder of place.destinationFolders ?? []) {
    const destination = resolveLinks(folder);
    if (isInside(resolved, destination) || isInside(destination, resolved)) {
      throw new DrivePathError(
        path,
        `${path} and the backup destination ${folder} lie in each other: a destination is never backed up.`,
      );
    }
  }
  return below.split(sep).join('/');
}
