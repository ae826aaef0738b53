import * as z from 'zod';

import { duration, size } from '../config/schema-readers.js';
import { commandKeys, commonKeys, count, word, type CommonOptions } from './common-schema.js';

/** Options of `launch: {slurm: …}`, named as Slurm names them. */
export const slurmSchema = z.object({
  partition: word('Partition, or several with commas.', 'gpu').optional(),
  account: word('Account that is charged.').optional(),
  qos: word('Quality of service.').optional(),
  time: duration('Time limit of each job; near it the worker leaves and its job is queued again.', '4h').optional(),
  cpus_per_task: count('Processors of each worker.').optional(),
  mem: size('Memory of each worker.', '8GB').optional(),
  gres: word('Generic resources.', 'gpu:1').optional(),
  gpus: z
    .union([z.int().min(1).transform(String), word('')])
    .optional()
    .describe('Accelerators of each worker: a number, or with their type.')
    .meta({ examples: [1, 'a100:1'] }),
  constraint: z
    .string()
    .regex(/^[^\s"'`\\#]+$/)
    .optional()
    .describe('Features that a node must have.'),
  nodelist: word('Only these nodes.').optional(),
  exclude: word('Not these nodes.').optional(),
  reservation: word('Reservation to use.').optional(),
  max_running: count('Workers that run at the same time at most.').optional(),
  notice: duration('How long before a job’s end its worker is told to leave.', '60s').default(60_000),
  sbatch: z
    .array(z.string().regex(/^--[a-z][a-z-]*(=[^\n\r]*)?$/))
    .default([])
    .describe('Further options of sbatch.')
    .meta({ examples: [['--mail-type=FAIL']] }),
  ...commonKeys,
  ...commandKeys,
});

/** What it gives, keys in camelCase. */
export interface SlurmOptions extends CommonOptions {
  readonly partition?: string;
  readonly account?: string;
  readonly qos?: string;
  /** Milliseconds. */
  readonly time?: number;
  readonly cpusPerTask?: number;
  /** Bytes. */
  readonly mem?: number;
  readonly gres?: string;
  readonly gpus?: string;
  readonly constraint?: string;
  readonly nodelist?: string;
  readonly exclude?: string;
  readonly reservation?: string;
  readonly maxRunning?: number;
  /** Milliseconds. */
  readonly notice: number;
  readonly sbatch: readonly string[];
}
