import { createHash } from 'node:crypto';
import { join } from 'node:path';

import { UsageError } from '../core/errors.js';
import { canonicalJson, type JsonValue } from '../core/json.js';
import { nearestName } from '../core/nearest-name.js';
import { mixSeed } from '../core/random.js';
import { readCheckpoint } from './checkpoint.js';
import { chooseBackend } from './choose-backend.js';
import type { TabularData } from './data/tabular-data.js';
import { fit, fitStateOf } from './fit.js';
import { hiddenUnits, type MlpSettings } from './mlp-settings.js';
import { buildMlp, drawKernels, type MlpShape } from './models/mlp.js';
import { Network, type NetworkOptions } from './network.js';
import { saveModel, type Preprocessing } from './saved-model.js';
import type { Task } from './task.js';
import { loadTensorflow, type Tensorflow } from './tensorflow.js';
import type { MetricDescription, TrainingContext, TrainingRequest, TrainingResult } from './trainer.js';

/** What a kind of perceptron brings to the common training. */
export interface MlpKind {
  readonly trainer: string;
  readonly metrics: readonly MetricDescription[];
  readonly data: TabularData;
  readonly task: Task;
  readonly head: MlpShape['head'];
  /** For the model's users, beside columns and scaler. */
  readonly preprocessing: Pick<Preprocessing, 'classes' | 'targetScaler'>;
}

/** Trains one trial of a perceptron from its start or its checkpoint, and saves the model. */
export async function trainMlp(
  kind: MlpKind,
  request: TrainingRequest,
  context: TrainingContext,
  settings: MlpSettings,
  members: ReadonlyMap<string, number>,
): Promise<TrainingResult> {
  const tensorflow = loadTensorflow();
  const { data, task } = kind;
  const shape: MlpShape = {
    inputs: data.width,
    units: hiddenUnits(settings, members),
    outputs: task.outputs,
    activation: settings.activation,
    batchNorm: settings.batch_norm,
    dropout: settings.dropout,
    head: kind.head,
  };
  const { reported, monitor } = metricsOf(kind, request, settings);
  const fingerprint = fingerprintOf({
    trainer: kind.trainer,
    settings: { ...settings, momentum: settings.momentum ?? null, monitor: monitor.name },
    units: shape.units,
    goal: monitor.goal,
    seed: context.seed,
    data: data.contentHash,
    split: [data.split.train.length, data.split.validation.length, data.split.test.length],
  });
  const log = (line: string): void => {
    context.log(line);
  };
  const checkpoint = readCheckpoint(context.checkpointDir, log);
  const create = (): Network => createNetwork(tensorflow, kind, shape, settings, context.seed);
  const backend = await chooseBackend(
    tensorflow,
    {
      choice: request.backend,
      key: sizeKey(shape, settings.batch_size),
      before: fitStateOf(checkpoint, fingerprint)?.backend,
      file: context.backendChoices,
      time: () => timeSteps(create, data.split.train.subarray(0, settings.batch_size), task),
    },
    log,
  );
  log(`backend ${backend.name}: ${backend.reason}`);
  const network = create();
  try {
    const { values, ...fitted } = await fit(
      network,
      {
        task,
        trainRows: data.split.train,
        validationRows: data.split.validation,
        epochs: settings.epochs,
        batchSize: settings.batch_size,
        learningRate: settings.learning_rate,
        schedule: settings.schedule,
        warmupEpochs: settings.warmup_epochs,
        metric: reported,
        monitor,
        patience: settings.patience,
        minDelta: settings.min_delta,
        keepBest: settings.restore_best,
        fingerprint,
        backend: backend.name,
      },
      context,
      checkpoint,
    );
    const modelPath = join(context.trialDir, 'model');
    const { columns, scaler } = data;
    await saveModel(tensorflow, network.model, modelPath, {
      trainer: kind.trainer,
      columns,
      scaler,
      ...kind.preprocessing,
    });
    return {
      values: request.judgeTest === true ? { ...values, ...judgeTest(network, kind) } : values,
      ...fitted,
      backend: backend.name,
      backendReason: backend.reason,
      modelPath,
      parameters: network.parameters,
    };
  } finally {
    network.dispose();
  }
}

function createNetwork(
  tensorflow: Tensorflow,
  { data, task, head }: MlpKind,
  shape: MlpShape,
  settings: MlpSettings,
  seed: number,
): Network {
  const { optimizer, weight_decay: weightDecay } = settings;
  const momentum = settings.momentum ?? (optimizer === 'sgd' ? 0.9 : 0);
  const options: NetworkOptions = {
    model: buildMlp(tensorflow.layers, shape),
    hasHead: head !== 'none',
    task,
    features: data.features,
    width: data.width,
    optimizer: { optimizer, momentum, weightDecay },
    seed: mixSeed(seed, 'dropout'),
  };
  const network = new Network(tensorflow, options);
  network.setKernels(drawKernels(shape, seed));
  return network;
}

/** Milliseconds of the fastest of a few steps; what is measured is then thrown away. */
function timeSteps(create: () => Network, rows: Int32Array, task: Task): number {
  const network = create();
  try {
    let fastest = Infinity;
    const end = performance.now() + 60;
    for (let step = 1; step <= 2 || (step <= 30 && performance.now() < end); step++) {
      const start = performance.now();
      network.step(rows, task.newSums(), step, 1e-6);
      fastest = Math.min(fastest, performance.now() - start);
    }
    return fastest;
  } finally {
    network.dispose();
  }
}

/** Models that differ by less than a factor of 2 in work per step share a choice of backend. */
function sizeKey({ inputs, units, outputs, batchNorm, dropout }: MlpShape, batchSize: number): string {
  const widths = [inputs, ...units, outputs];
  const products = widths.slice(1).reduce((sum, width, index) => sum + width * (widths[index] ?? 0), 0);
  const power = Math.round(Math.log2(products * batchSize));
  return ['mlp', `layers=${units.length}`, `work=2^${power}`, batchNorm ? 'norm' : '', dropout > 0 ? 'dropout' : '']
    .filter((word) => word !== '')
    .join(' ');
}

function metricsOf(
  { trainer, metrics, data }: MlpKind,
  { metrics: wanted }: TrainingRequest,
  { monitor }: MlpSettings,
): { reported: string; monitor: MetricDescription } {
  const find = (name: string, key: string): MetricDescription => {
    const metric = metrics.find((candidate) => candidate.name === name);
    if (metric === undefined) {
      const names = metrics.map((candidate) => candidate.name);
      const near = nearestName(name, names);
      throw new UsageError(`${key}: the trainer ${trainer} has no metric "${name}"; it has ${names.join(', ')}.`, {
        ...(near === undefined ? {} : { hint: `Did you mean "${near}"?` }),
      });
    }
    if (data.split.validation.length > 0 || !name.startsWith('val_')) return metric;
    // Everything is fitted on: what is said of the fit itself stands for what cannot be said of the validation part.
    return find(name.slice('val_'.length), key);
  };
  for (const metric of wanted) find(metric.name, 'metric');
  const [first] = wanted;
  const fallback = metrics[0]?.name ?? 'loss';
  const own = find(monitor ?? first?.name ?? fallback, monitor === undefined ? 'metric' : 'monitor');
  const isFirst = monitor === undefined || monitor === first?.name;
  return {
    reported: find(first?.name ?? fallback, 'metric').name,
    monitor: isFirst && first !== undefined ? { ...own, goal: first.goal } : own,
  };
}

function judgeTest(network: Network, { task, data }: MlpKind): Record<string, number> {
  if (data.split.test.length === 0) throw new UsageError('There is no test part to judge: data.test is 0.');
  const sums = task.newSums();
  network.judge(data.split.test, sums);
  return Object.fromEntries(Object.entries(task.metricsOf(sums)).map(([name, value]) => [`test_${name}`, value]));
}

function fingerprintOf(content: JsonValue): string {
  return createHash('sha256').update(canonicalJson(content)).digest('hex');
}
