import { readdirSync } from 'node:fs';

let count: number | undefined;

/** NVIDIA GPUs that the driver shows; 0 where there is none. */
export function gpuCount(): number {
  if (count === undefined) {
    try {
      count = readdirSync('/proc/driver/nvidia/gpus').length;
    } catch {
      count = 0;
    }
  }
  return count;
}

/** Gives each job one GPU in turn, of those that this process may see; nothing where there is none. */
export function gpuEnvironment(slot: number, env: NodeJS.ProcessEnv = process.env): Record<string, string> {
  const visible = env['CUDA_VISIBLE_DEVICES'];
  const devices =
    visible === undefined
      ? Array.from({ length: gpuCount() }, (_, i) => String(i))
      : visible.split(',').filter((device) => device !== '' && device !== '-1');
  const device = devices[slot % Math.max(1, devices.length)];
  return device === undefined ? {} : { CUDA_VISIBLE_DEVICES: device };
}
