import * as z from 'zod';

import { nearestName } from '../core/nearest-name.js';
import { FOLDER_NAME } from './environment.js';
import { duration, goal, isRecord, reader, share, size, withJsonSchema } from './schema-readers.js';
import { parseShare } from './units.js';

/** Sections that are the same for every registry: what is measured, how long, where it is kept, and the stages after the sweep. */

const folderName = (description: string): z.ZodType<string> => z.string().regex(FOLDER_NAME).describe(description);

export const studyName = z
  .string()
  .min(1)
  .max(512)
  .describe('Name of the study: part of its identity.')
  .meta({ examples: ['digits-mlp'] });

export const backbone = folderName(
  'a name for the model family, of letters, digits, ".", "_" and "-" (it becomes a folder)',
).meta({
  examples: ['mlp'],
});

export const backbones = z
  .array(backbone)
  .min(1)
  .describe('Several model families: one study each, selection across them.');

export const environment = folderName(
  'a label of this machine, of letters, digits, ".", "_" and "-" (it becomes a folder)',
);

export const metric = z
  .strictObject({
    name: z.string().min(1).describe('Name under which the objective reports it.'),
    goal: goal.describe('Direction of the search.'),
    target: z.number().optional().describe('The sweep ends once a finished trial is at least this good.'),
  })
  .describe('What is optimised.')
  .meta({ examples: [{ name: 'val_accuracy', goal: 'maximize' }] });

export const metrics = z.array(metric).min(1).describe('Several objectives, in the order of the values.');

const count = (description: string): z.ZodNumber => z.int().min(1).describe(description);
const countFromZero = (description: string): z.ZodNumber => z.int().min(0).describe(description);

export const trials = count('Total of finished trials that the study shall have; a resume counts those there.').meta({
  examples: [40],
});

export const parallel = count('Trials that run at the same time.').default(1);

export const feasible = z
  .array(z.string().min(1))
  .default([])
  .describe(
    'Rules over parameters, all of which must hold before a trial is spent. A rule that mentions an inactive parameter does not apply.',
  )
  .meta({ examples: [['layers * units_0 <= 512']] });

export const backend = z.enum(['auto', 'node', 'wasm', 'cpu']).default('auto').describe('What tensor code runs on.');

export const limits = z
  .strictObject({
    trial: duration('Of one trial.').optional(),
    session: duration('Of one run of the command; near its end no new trial is started.', '12h').optional(),
    study: duration('Of all runs of the study together.', '3d').optional(),
    failures: count('Failed trials after which the sweep ends.').optional(),
    no_improvement: count('Finished trials without a better best one after which the sweep ends.').optional(),
    memory: size('Resident size of one trial.').optional(),
    disk_free: size('Free space below which no new trial is started.', '2GB').optional(),
    idle_output: duration('Time without any output of a command after which its trial is ended.', '10m').optional(),
    cost: z
      .strictObject({
        per_hour: z.number().positive().describe('Price of one hour of this machine.'),
        max: z.number().positive().describe('What the study may cost in all.'),
      })
      .optional(),
  })
  .prefault({})
  .describe('Where a trial, a session or the study ends.');

export const retry = z
  .strictObject({
    interrupted: countFromZero('How often a trial is repeated whose machine or process went away.').default(5),
    failed: countFromZero('How often a trial is repeated that failed by itself.').default(0),
  })
  .prefault({})
  .describe('Which trials are repeated.');

const DURABILITIES = ['normal', 'full'] as const;
const STORAGE_FORM = 'a URL such as sqlite:///file.db or postgresql://…, or memory';

/** `memory`, a URL, or `{url, durability}`. */
export const storage = reader(
  (value, complain): { url: string | undefined; durability: 'normal' | 'full' } => {
    const record: Readonly<Record<string, unknown>> = isRecord(value) ? value : { url: value };
    const { url, durability = 'normal', ...others } = record;
    for (const key of Object.keys(others)) {
      complain(
        {
          aboutKey: true,
          text: 'unknown key',
          allowed: 'one of url, durability',
          nearest: nearestName(key, ['url', 'durability']),
        },
        [key],
      );
    }
    const urlPath = isRecord(value) ? ['url'] : [];
    if (url !== undefined && (typeof url !== 'string' || (url !== 'memory' && !/^[a-z][a-z0-9+]*:\/\/./i.test(url)))) {
      complain({ allowed: STORAGE_FORM }, urlPath);
    }
    if (!DURABILITIES.some((name) => name === durability)) {
      complain({ allowed: 'one of normal, full', nearest: nearestName(String(durability), DURABILITIES) }, [
        'durability',
      ]);
    }
    return { url: typeof url === 'string' ? url : undefined, durability: durability === 'full' ? 'full' : 'normal' };
  },
  () => ({
    description: 'Where trials are stored; absent: the study.db of the study. Write passwords as ${NAME}.',
    examples: ['${DATABASE_URL}', 'memory'],
    anyOf: [
      { type: 'string' },
      {
        type: 'object',
        properties: {
          url: { type: 'string' },
          durability: { enum: DURABILITIES, description: 'full survives a power cut too.' },
        },
        additionalProperties: false,
      },
    ],
  }),
);

export const checkpoint = z
  .strictObject({ every: duration('Time between two backups of a running trial’s checkpoint.', '5m').default(300_000) })
  .prefault({})
  .describe('How often the checkpoints of a long trial are backed up.');

const HTTP_URL = /^https?:\/\/[^\s/]/i;

export const track = z
  .strictObject({
    tensorboard: z
      .strictObject({
        dir: z
          .string()
          .min(1)
          .default('outputs/tensorboard')
          .describe('Folder of the event files, relative to the project root; each study has a folder in it.'),
      })
      .optional()
      .describe('Event files of TensorBoard, with its HParams plugin.'),
    mlflow: z
      .strictObject({
        url: z
          .string()
          .regex(HTTP_URL)
          .describe('an address of an MLflow server such as http://127.0.0.1:5000')
          .meta({ examples: ['${MLFLOW_TRACKING_URI}'] }),
        experiment: z.string().min(1).optional().describe('Name of the experiment; absent: that of the study.'),
      })
      .optional()
      .describe('A run per study and, below it, one per trial on an MLflow server.'),
  })
  .prefault({})
  .describe(
    'Experiment trackers that are told of every trial. One that fails is tried again and never fails the sweep.',
  );

export const benchmark = z
  .strictObject({
    top: count('How many of the best trials are measured.').default(5),
    batch_sizes: z.array(z.int().min(1)).min(1).default([1, 32]),
    warmup: countFromZero('Calls before measuring.').default(10),
    repeats: count('Calls that are measured.').default(100),
  })
  .prefault({})
  .describe('Measures the models of the best trials.');

const within = reader(
  (value, complain) => {
    if (typeof value === 'number' && value >= 0) return { absolute: value };
    const fraction = typeof value === 'string' ? parseShare(value) : undefined;
    if (fraction === undefined) complain({ allowed: 'a percentage such as 1%, or a number in the metric’s own unit' });
    return { share: fraction ?? 0 };
  },
  () => ({ type: ['string', 'number'], description: 'How far from the best a trial may be.', examples: ['1%'] }),
);

const then = reader(
  (value, complain) => {
    const [, word, name] = typeof value === 'string' ? (/^\s*(minimize|maximize)\s+(\S+)\s*$/.exec(value) ?? []) : [];
    if (name === undefined) complain({ allowed: 'minimize or maximize and a name, such as minimize latency_p95' });
    return { goal: word === 'maximize' ? ('maximize' as const) : ('minimize' as const), name: name ?? '' };
  },
  () => ({
    type: 'string',
    pattern: '^(minimize|maximize) \\S+$',
    description: 'Which of those is chosen.',
    examples: ['minimize latency_p95'],
  }),
);

export const select = z
  .strictObject({
    within: within.optional(),
    then: then.optional(),
    weights: z
      .record(z.string(), z.number())
      .optional()
      .describe('Weighted choice: name of a metric or benchmark number → weight.'),
    constraints: z
      .array(z.string())
      .default([])
      .describe('Rules over metrics and benchmark numbers.')
      .meta({ examples: [['latency_p95 <= 5']] }),
  })
  .prefault({})
  .describe('How the best configuration is chosen; absent: by the metric.');

export const final = z
  .strictObject({
    epochs: count('Absent: as the chosen trial.').optional(),
    seeds: count('How many seeds are trained.').default(1),
    data: z.enum(['train', 'train+validation']).default('train+validation'),
  })
  .prefault({})
  .describe('The final training.');

/** A command: a list of words, or a text for the shell. */
export const command = withJsonSchema(
  z
    .union([z.string().min(1), z.array(z.union([z.string(), z.number(), z.boolean()])).min(1)])
    .transform((value) => (typeof value === 'string' ? ['/bin/sh', '-c', value] : value.map(String))),
  () => ({
    description: 'Program and arguments with placeholders; a text is run by the shell.',
    examples: [['python', 'train.py', '${args}']],
    anyOf: [
      { type: 'string', minLength: 1 },
      { type: 'array', items: { type: ['string', 'number', 'boolean'] }, minItems: 1 },
    ],
  }),
);

export const convert = z
  .strictObject({
    format: z.enum(['onnx', 'tfjs']).default('onnx'),
    command: command.optional(),
    tolerance: z.number().positive().default(1e-5).describe('Largest difference of outputs that is accepted.'),
  })
  .prefault({})
  .describe('The conversion of the final model.');

/** Keys of `data:` that every trainer has. */
export const data = z.strictObject({
  path: z
    .string()
    .min(1)
    .describe('File (csv, also gz) or folder, relative to the project root, else beside the configuration.')
    .meta({ examples: ['data/digits.csv.gz'] }),
  version: z
    .union([z.string(), z.number()])
    .transform(String)
    .optional()
    .describe('Stands for the content in the study’s identity.'),
  target: z
    .union([z.string().min(1), z.int().min(0)])
    .default('last')
    .describe('Column to predict: last, first, a name of the header, or an index from 0.'),
  test: share('Share of the rows held out for the final test.').default(0.2),
  validation: share('Share of the rows that trials are judged on.').default(0.2),
  header: z.boolean().optional().describe('Whether a header line stands first; absent: found from the content.'),
  skip_rows: countFromZero('Lines to leave out at the top.').default(0),
  delimiter: z.string().min(1).max(1).default(',').describe('Between two columns.'),
  ignore: z
    .array(z.union([z.string(), z.int().min(0)]))
    .default([])
    .describe('Columns that are no features.'),
  seed: z.int().default(0).describe('Seed of the split.'),
});
