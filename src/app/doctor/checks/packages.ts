import { createRequire } from 'node:module';

import type { SweepConfig } from '../../../core/sweep-config.js';
import type { DoctorCheck } from '../check.js';

/** A package that only some need: for what, and whether a configuration needs it. */
interface OptionalPackage {
  readonly name: string;
  readonly purpose: string;
  readonly isNeeded: (config: SweepConfig) => boolean;
}

const storageIs =
  (scheme: RegExp) =>
  ({ storage }: SweepConfig): boolean =>
    scheme.test(storage.url ?? '');
const hasDestination =
  (type: string) =>
  ({ backup }: SweepConfig): boolean =>
    backup.enabled && backup.destinations.some((destination) => destination.type === type);

const PACKAGES: readonly OptionalPackage[] = [
  { name: 'pg', purpose: 'studies in PostgreSQL', isNeeded: storageIs(/^postgres/i) },
  { name: 'mysql2', purpose: 'studies in MySQL or MariaDB', isNeeded: storageIs(/^(mysql|mariadb)/i) },
  { name: '@aws-sdk/client-s3', purpose: 'destinations of type s3', isNeeded: hasDestination('s3') },
  { name: '@googleapis/drive', purpose: 'destinations of type google-drive', isNeeded: hasDestination('google-drive') },
  { name: '@octokit/rest', purpose: 'destinations of type github', isNeeded: hasDestination('github') },
  {
    name: 'age-encryption',
    purpose: 'encrypted backups',
    isNeeded: ({ backup }) => backup.enabled && backup.destinations.some(({ encrypt }) => encrypt !== undefined),
  },
  {
    name: '@tensorflow/tfjs-core',
    purpose: 'the built-in trainers',
    isNeeded: ({ objective }) => objective.type === 'tfjs',
  },
  { name: 'sharp', purpose: 'folders of images, figures as PNG', isNeeded: () => false },
  { name: 'onnxruntime-node', purpose: 'measuring and checking ONNX models', isNeeded: () => false },
];

/** Packages that only some need; without a configuration none is missed. */
export const packagesCheck: DoctorCheck = {
  name: 'packages',
  title: 'Optional packages',
  check: ({ sweep }) => {
    const installed = PACKAGES.filter(({ name }) => isInstalled(name));
    const missing = PACKAGES.filter((entry) => !installed.includes(entry));
    const needed = sweep === undefined ? [] : missing.filter(({ isNeeded }) => isNeeded(sweep.config));
    const details = Object.fromEntries(
      PACKAGES.map((entry) => [entry.name, `${installed.includes(entry) ? 'installed' : 'missing'}: ${entry.purpose}`]),
    );
    if (needed.length > 0) {
      return Promise.resolve({
        state: 'bad',
        summary: `This configuration needs ${needed.map(({ name, purpose }) => `${name} (${purpose})`).join(', ')}.`,
        hint: `npm install ${needed.map(({ name }) => name).join(' ')}`,
        details,
      });
    }
    const list = (entries: readonly OptionalPackage[]): string => entries.map(({ name }) => name).join(', ') || 'none';
    return Promise.resolve({
      state: 'good',
      summary: `Installed: ${list(installed)}.${missing.length === 0 ? '' : ` Not needed so far: ${list(missing)}.`}`,
      details,
    });
  },
};

function isInstalled(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(name);
    return true;
  } catch (error) {
    // Packages without an entry for `require` are there all the same.
    return (error as NodeJS.ErrnoException).code === 'ERR_PACKAGE_PATH_NOT_EXPORTED';
  }
}
