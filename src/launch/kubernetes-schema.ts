import * as z from 'zod';

import { duration } from '../config/schema-readers.js';
import { commonKeys, count, word, type CommonOptions } from './common-schema.js';

const NAME = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;
const QUANTITY = /^\d+(\.\d+)?(m|[kMGTPE]i?)?$/;

const name = (description: string, example: string): z.ZodString =>
  z
    .string()
    .regex(NAME)
    .max(253)
    .describe(description)
    .meta({ examples: [example] });
const quantity = (description: string, example: string): z.ZodType<string> =>
  z
    .union([z.number().positive().transform(String), z.string().regex(QUANTITY)])
    .describe(description)
    .meta({ examples: [example] });

/** Options of `launch: {kubernetes: …}`. */
export const kubernetesSchema = z.object({
  image: word(
    'Image of a worker: resweep, and the project in its working directory (see the Dockerfile).',
    'registry.example.org/sweeps:1',
  ).optional(),
  namespace: name('Namespace; absent: that of the context.', 'sweeps').optional(),
  context: word('Context of kubectl; absent: the current one.').optional(),
  folder: z.string().regex(/^\//).default('/project').describe('Folder of the project in the image.'),
  secret: name('Secret whose key storage-url holds the storage’s URL.', 'resweep').default('resweep'),
  secrets: z
    .array(name('Secret', 'resweep-s3'))
    .default([])
    .describe('Secrets whose keys become variables of the environment: the credentials of destinations.')
    .meta({ examples: [['resweep-s3']] }),
  volumes: z
    .array(z.strictObject({ claim: name('Claim of a persistent volume.', 'backups'), path: z.string().regex(/^\//) }))
    .default([])
    .describe('Volumes that all pods mount, such as one for a destination of type folder.')
    .meta({ examples: [[{ claim: 'backups', path: '/backups' }]] }),
  cpu: quantity('Processors of each worker.', '2').default('1'),
  memory: quantity('Memory of each worker, asked for and at most.', '4Gi').default('2Gi'),
  gpus: count('Accelerators of each worker.').optional(),
  gpu_resource: z
    .string()
    .regex(/^[a-z0-9.-]+\/[a-z0-9.-]+$/)
    .default('nvidia.com/gpu')
    .describe('Name of the resource.'),
  node_selector: z.record(z.string(), z.string()).default({}).describe('Labels that a node must have.'),
  tolerations: z
    .array(z.record(z.string(), z.union([z.string(), z.number()])))
    .default([])
    .describe('Taints that are no obstacle, as in a pod’s specification.'),
  service_account: name('Service account of the pods.', 'sweeper').optional(),
  priority_class: name('Class of priority.', 'low').optional(),
  pull_secret: name('Secret for the image’s registry.', 'registry').optional(),
  retries: z
    .int()
    .min(0)
    .default(6)
    .describe('How often each worker is started anew after a failure; disruptions do not count.'),
  grace: duration('Time to save checkpoints and a backup in before a pod is killed.', '120s').default(120_000),
  ttl: duration('Time after which a finished job is removed.', '1d').default(86_400_000),
  ...commonKeys,
});

/** What it gives, keys in camelCase. */
export interface KubernetesOptions extends CommonOptions {
  readonly image?: string;
  readonly namespace?: string;
  readonly context?: string;
  readonly folder: string;
  readonly secret: string;
  readonly secrets: readonly string[];
  readonly volumes: readonly { readonly claim: string; readonly path: string }[];
  readonly cpu: string;
  readonly memory: string;
  readonly gpus?: number;
  readonly gpuResource: string;
  readonly nodeSelector: Readonly<Record<string, string>>;
  readonly tolerations: readonly Readonly<Record<string, string | number>>[];
  readonly serviceAccount?: string;
  readonly priorityClass?: string;
  readonly pullSecret?: string;
  readonly retries: number;
  /** Milliseconds. */
  readonly grace: number;
  readonly ttl: number;
}
