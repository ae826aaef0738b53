import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';

/** Where a driver of NVIDIA shows its GPUs. */
export interface GpuSources {
  /** A folder with an entry per GPU. */
  readonly driver: string;
  /** Device files `nvidia0`, `nvidia1`, …; containers often have these alone. */
  readonly devices: string;
  /** Program that lists a GPU per line with `-L`; the only one of the three on Windows and WSL. */
  readonly program: string;
}

const STANDARD: GpuSources = { driver: '/proc/driver/nvidia/gpus', devices: '/dev', program: 'nvidia-smi' };

let count: number | undefined;

/** NVIDIA GPUs of this machine, found once per process; 0 where there is none. */
export function gpuCount(): number {
  count ??= findGpus();
  return count;
}

/** NVIDIA GPUs that `sources` show: the device files where there are any, since a container may hold fewer than the driver knows. */
export function findGpus({ driver, devices, program }: GpuSources = STANDARD): number {
  const files = namesIn(devices).filter((name) => /^nvidia\d+$/.test(name)).length;
  if (files > 0) return files;
  const known = namesIn(driver).length;
  if (known > 0) return known;
  return namesIn(devices).includes('dxg') || process.platform === 'win32' ? listedBy(program) : 0;
}

/** Gives each job one GPU in turn, of those that this process may see; nothing where there is none. */
export function gpuEnvironment(
  slot: number,
  env: NodeJS.ProcessEnv = process.env,
  gpus: number = gpuCount(),
): Record<string, string> {
  const visible = env['CUDA_VISIBLE_DEVICES'];
  const devices =
    visible === undefined
      ? Array.from({ length: gpus }, (_, i) => String(i))
      : visible.split(',').filter((device) => device !== '' && device !== '-1');
  const device = devices[slot % Math.max(1, devices.length)];
  return device === undefined ? {} : { CUDA_VISIBLE_DEVICES: device };
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function listedBy(program: string): number {
  try {
    const lines = execFileSync(program, ['-L'], {
      encoding: 'utf8',
      timeout: 5_000,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return lines.split('\n').filter((line) => /^GPU \d+:/.test(line)).length;
  } catch {
    return 0;
  }
}
