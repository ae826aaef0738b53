import { createHash } from 'node:crypto';
import { join } from 'node:path';

import type * as Layers from '@tensorflow/tfjs-layers';

import { UsageError } from '../core/errors.js';
import { canonicalJson, type JsonValue } from '../core/json.js';
import { mixSeed } from '../core/random.js';
import type { BatchSource } from './batches.js';
import { readCheckpoint, type Checkpoint } from './checkpoint.js';
import { chooseBackend, type ChosenBackend } from './choose-backend.js';
import type { Split } from './data/split.js';
import { carriedBy, fit, fitStateOf, type Carried, type FitResult } from './fit.js';
import { FoldResults } from './fold-results.js';
import { chooseMetrics } from './metric-choice.js';
import { examplesOf } from './model-examples.js';
import { Network } from './network.js';
import { saveModel, type Preprocessing } from './saved-model.js';
import type { Task } from './task.js';
import { loadTensorflow, type Tensorflow } from './tensorflow.js';
import { timeSteps } from './time-steps.js';
import type { MetricDescription, TrainingContext, TrainingRequest, TrainingResult } from './trainer.js';
import type { TrainingSettings } from './training-settings.js';

/** One model to be trained: its data, what it learns, and how it is built. */
export interface Recipe {
  readonly inputs: BatchSource;
  readonly split: Split;
  readonly task: Task;
  /** Of the data's content. */
  readonly contentHash: string;
  /** Builds the model on the current backend; its kernels may be zero. */
  readonly build: (tensorflow: Tensorflow) => Layers.Sequential;
  /** First values of the kernels, in order. */
  readonly firstWeights: (model: Layers.Sequential, seed: number) => readonly Float32Array[];
  /** Whether the last layer turns outputs into probabilities; the task judges what comes before it. */
  readonly hasHead: boolean;
  /** Everything beside the settings that the model's form depends on. */
  readonly shape: JsonValue;
  /** The kind of model, in words, for the choice of a backend. */
  readonly kind: string;
  /** Multiplications for one row, roughly. */
  readonly work: number;
  readonly preprocessing: Omit<Preprocessing, 'trainer'>;
}

/** What a trainer brings to the common training. */
export interface TrainingPlan {
  readonly trainer: string;
  readonly metrics: readonly MetricDescription[];
  readonly settings: TrainingSettings;
  /** Models of k-fold cross-validation; absent: one model. */
  readonly folds?: number | undefined;
  /** `fold` from 0, undefined without k-fold. */
  readonly recipe: (fold: number | undefined) => Recipe | Promise<Recipe>;
}

/** Trains one trial from its start or its checkpoint, and saves the model (of k-fold: that of the best fold). */
export async function trainNetwork(
  plan: TrainingPlan,
  request: TrainingRequest,
  context: TrainingContext,
): Promise<TrainingResult> {
  return new TrainingRun(plan, request, context).run();
}

class TrainingRun {
  readonly #plan: TrainingPlan;
  readonly #request: TrainingRequest;
  readonly #context: TrainingContext;
  readonly #tensorflow = loadTensorflow();
  readonly #checkpoint: Checkpoint | undefined;
  #backend: ChosenBackend | undefined;

  constructor(plan: TrainingPlan, request: TrainingRequest, context: TrainingContext) {
    this.#plan = plan;
    this.#request = request;
    this.#context = context;
    this.#checkpoint = readCheckpoint(context.checkpointDir, (line) => {
      context.log(line);
    });
  }

  async run(): Promise<TrainingResult> {
    return this.#plan.folds === undefined ? this.#one() : this.#allFolds(this.#plan.folds);
  }

  async #one(): Promise<TrainingResult> {
    const recipe = await this.#plan.recipe(undefined);
    return this.#trained(recipe, undefined, undefined, async (network, fitted) =>
      this.#finish(recipe, network, fitted.values, fitted),
    );
  }

  async #allFolds(folds: number): Promise<TrainingResult> {
    const first = await this.#plan.recipe(0);
    const { reported, monitor } = this.#metrics(first);
    const carried = carriedBy(this.#checkpoint);
    const key = this.#fingerprint(first, 'folds');
    const results = FoldResults.from(carried, key) ?? new FoldResults(key);
    const resumedAt = results.count > 0 ? results.count : undefined;
    for (const [index, mean] of results.means(reported).entries())
      await this.#context.report(index + 1, mean, { replayed: true });
    for (let fold = results.count; fold < folds; fold++) {
      this.#context.log(`fold ${fold + 1}/${folds}`);
      const recipe = fold === 0 ? first : await this.#plan.recipe(fold);
      await this.#trained(recipe, fold, results.carried(), (network, fitted) => {
        results.add(fitted, monitor, network.state().weights);
        return Promise.resolve();
      });
      const mean = results.means(reported).at(-1) ?? NaN;
      this.#context.log(`fold ${fold + 1}/${folds}: mean ${reported} so far ${mean.toPrecision(5)}`);
      await this.#context.report(fold + 1, mean);
    }
    const recipe = await this.#plan.recipe(results.bestFold);
    const network = this.#create(recipe, this.#seedOf(results.bestFold));
    try {
      network.restore(results.bestWeights);
      const fitted = { values: results.values(reported), epochs: results.epochs, bestEpoch: results.bestEpoch };
      return await this.#finish(recipe, network, fitted.values, { ...fitted, resumedFromEpoch: resumedAt });
    } finally {
      network.dispose();
    }
  }

  /** Trains one model and hands it, with its best weights, to `then`. */
  async #trained<T>(
    recipe: Recipe,
    fold: number | undefined,
    carried: Carried | undefined,
    then: (network: Network, fitted: FitResult) => Promise<T>,
  ): Promise<T> {
    const { settings, folds } = this.#plan;
    const { reported, monitor } = this.#metrics(recipe);
    const fingerprint = this.#fingerprint(recipe, fold ?? null);
    const seed = this.#seedOf(fold);
    const backend = await this.#chooseBackend(recipe, seed, fingerprint);
    const network = this.#create(recipe, seed);
    try {
      const fitted = await fit(
        network,
        {
          task: recipe.task,
          trainRows: recipe.split.train,
          validationRows: recipe.split.validation,
          epochs: settings.epochs,
          batchSize: settings.batch_size,
          learningRate: settings.learning_rate,
          schedule: settings.schedule,
          decay: settings.decay,
          decayEpochs: settings.decay_epochs,
          warmupEpochs: settings.warmup_epochs,
          seed,
          metric: folds === undefined ? reported : undefined,
          monitor,
          patience: settings.patience,
          minDelta: settings.min_delta,
          keepBest: settings.restore_best,
          fingerprint,
          backend: backend.name,
          carried,
        },
        this.#context,
        this.#checkpoint,
      );
      return await then(network, fitted);
    } finally {
      network.dispose();
    }
  }

  async #finish(
    recipe: Recipe,
    network: Network,
    values: Readonly<Record<string, number>>,
    fitted: Pick<FitResult, 'epochs' | 'bestEpoch' | 'resumedFromEpoch'>,
  ): Promise<TrainingResult> {
    const modelPath = join(this.#context.trialDir, 'model');
    const { trainer } = this.#plan;
    const { inputs, split } = recipe;
    const parts = this.#request.judgeTest === true ? [split.test, split.validation] : [split.validation];
    const rows = parts.find((part) => part.length > 0) ?? split.train;
    const examples = examplesOf(this.#tensorflow, network.model, inputs, rows);
    await saveModel(this.#tensorflow, network.model, modelPath, { trainer, ...recipe.preprocessing }, examples);
    return {
      values: this.#request.judgeTest === true ? { ...values, ...judgeTest(network, recipe) } : values,
      epochs: fitted.epochs,
      bestEpoch: fitted.bestEpoch,
      resumedFromEpoch: fitted.resumedFromEpoch,
      backend: this.#backend?.name ?? '',
      backendReason: this.#backend?.reason ?? '',
      backendKey: this.#keyOf(recipe),
      modelPath,
      parameters: network.parameters,
    };
  }

  #metrics(recipe: Recipe): { reported: string; monitor: MetricDescription } {
    const { trainer, metrics, settings } = this.#plan;
    return chooseMetrics({
      trainer,
      metrics,
      wanted: this.#request.metrics,
      monitor: settings.monitor,
      hasValidation: recipe.split.validation.length > 0,
    });
  }

  #fingerprint({ contentHash, split, shape }: Recipe, fold: number | string | null): string {
    const { trainer, settings, folds } = this.#plan;
    const plain = Object.fromEntries(Object.entries(settings).map(([key, value]) => [key, value ?? null]));
    const { validation, test, seed, options } = this.#request.data;
    const content: JsonValue = {
      trainer,
      settings: plain as JsonValue,
      goal: this.#request.metrics[0]?.goal ?? null,
      seed: this.#context.seed,
      data: [contentHash, validation, test, seed, { ...options }],
      split: fold === 'folds' ? [] : [split.train.length, split.validation.length, split.test.length],
      shape,
      fold: [fold, folds ?? null],
    };
    return createHash('sha256').update(canonicalJson(content)).digest('hex');
  }

  #seedOf(fold: number | undefined): number {
    return fold === undefined ? this.#context.seed : mixSeed(this.#context.seed, 'fold', fold);
  }

  async #chooseBackend(recipe: Recipe, seed: number, fingerprint: string): Promise<ChosenBackend> {
    if (this.#backend !== undefined) return this.#backend;
    const log = (line: string): void => {
      this.#context.log(line);
    };
    const { settings } = this.#plan;
    const before = fitStateOf(this.#checkpoint, fingerprint)?.backend;
    const rows = recipe.split.train.subarray(0, settings.batch_size);
    const backend = await chooseBackend(
      this.#tensorflow,
      {
        choice: this.#request.backend,
        key: this.#keyOf(recipe),
        before,
        file: this.#context.backendChoices,
        time: (best) => timeSteps(() => this.#create(recipe, seed), rows, recipe.task, best),
      },
      log,
    );
    log(`backend ${backend.name}: ${backend.reason}`);
    this.#backend = backend;
    return backend;
  }

  /** Models that differ by less than a factor of 2 in work per step share a choice of backend. */
  #keyOf({ kind, work }: Recipe): string {
    return `${kind} work=2^${Math.round(Math.log2(Math.max(1, work) * this.#plan.settings.batch_size))}`;
  }

  #create(recipe: Recipe, seed: number): Network {
    const { optimizer, weight_decay: weightDecay, clip_norm: clipNorm, momentum } = this.#plan.settings;
    const network = new Network(this.#tensorflow, {
      model: recipe.build(this.#tensorflow),
      hasHead: recipe.hasHead,
      task: recipe.task,
      inputs: recipe.inputs,
      optimizer: { optimizer, momentum: momentum ?? (optimizer === 'sgd' ? 0.9 : 0), weightDecay },
      clipNorm,
      seed: mixSeed(seed, 'dropout'),
    });
    network.setKernels(recipe.firstWeights(network.model, seed));
    return network;
  }
}

function judgeTest(network: Network, { task, split }: Recipe): Record<string, number> {
  if (split.test.length === 0) throw new UsageError('There is no test part to judge: data.test is 0.');
  const sums = task.newSums();
  network.judge(split.test, sums);
  return Object.fromEntries(Object.entries(task.metricsOf(sums)).map(([name, value]) => [`test_${name}`, value]));
}
