import * as z from 'zod';

import { size } from '../config/schema-readers.js';
import { commandKeys, commonKeys, word, type CommonOptions } from './common-schema.js';

/** Options of `launch: {ray: …}`. */
export const raySchema = z.object({
  address: z
    .string()
    .regex(/^https?:\/\/[^\s]+$/)
    .optional()
    .describe('Address of the cluster’s Jobs API; absent: what RAY_API_SERVER_ADDRESS or RAY_ADDRESS names.')
    .meta({ examples: ['http://127.0.0.1:8265'] }),
  num_cpus: z.number().min(0).default(1).describe('Processors that Ray reserves for each worker.'),
  gpus: z
    .number()
    .min(0)
    .optional()
    .describe('Accelerators of each worker, also parts of one.')
    .meta({ examples: [1] }),
  memory: size('Memory that Ray reserves for each worker.', '8GB').optional(),
  resources: z
    .record(z.string().min(1), z.number().min(0))
    .default({})
    .describe('Custom resources of each worker.')
    .meta({ examples: [{ 'accelerator_type:A100': 0.001 }] }),
  folder: z
    .string()
    .min(1)
    .optional()
    .describe('Folder of the project on the cluster’s machines; absent: as here. With working_dir: relative to that.'),
  working_dir: word(
    'Archive with the project that Ray unpacks for each job: a remote URI.',
    's3://bucket/project.zip',
  ).optional(),
  storage_url_file: z
    .string()
    .min(1)
    .optional()
    .describe(
      'File on the cluster’s machines that holds the storage’s URL: for one with a password, which the job’s environment would show.',
    ),
  ...commonKeys,
  ...commandKeys,
});

/** What it gives, keys in camelCase. */
export interface RayOptions extends CommonOptions {
  readonly address?: string;
  readonly numCpus: number;
  readonly gpus?: number;
  /** Bytes. */
  readonly memory?: number;
  readonly resources: Readonly<Record<string, number>>;
  readonly folder?: string;
  readonly workingDir?: string;
  readonly storageUrlFile?: string;
}
