import { mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import type * as Core from '@tensorflow/tfjs-core';
import type * as Layers from '@tensorflow/tfjs-layers';

import { syncFolder, writeFileAtomically, writeJsonAtomically } from '../core/atomic-file.js';
import { ResweepError } from '../core/errors.js';
import { parseJson, type JsonValue } from '../core/json.js';
import { VERSION } from '../core/version.js';
import type { FeatureColumn } from './data/columns.js';
import type { Scaler } from './data/scaling.js';
import { writeExamples, type ModelExamples } from './model-examples.js';
import type { Tensorflow } from './tensorflow.js';

/** Pixels of an image, rows × columns × channels, each value scaled: (value − offset) / divisor of its channel. */
export interface ImagePreprocessing {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** Texts as numbers: the first word of `vocabulary` has number 2, 1 is any other word, 0 stands behind the end of a text. */
export interface TextPreprocessing {
  readonly vocabulary: readonly string[];
  /** Words of a text that are looked at. */
  readonly length: number;
  readonly lowercase: boolean;
  /** `words`: /[\p{L}\p{N}]+|[^\s\p{L}\p{N}]/gu; `characters`: each character; `tokens`: the text comes divided. */
  readonly unit: 'words' | 'characters' | 'tokens';
  /** Numbers of one token, behind each other: the word (`w:…`), and its shape, beginning and end (`s:…`, `p:…`, `e:…`). */
  readonly features?: readonly string[] | undefined;
}

/** What a model's user must do to a row before, and to the outputs after. `preprocessing.json` beside the model. */
export interface Preprocessing {
  readonly trainer: string;
  /** Of a table; empty for other data. */
  readonly columns: readonly FeatureColumn[];
  /** One entry per feature of a table, or per channel of an image; empty for texts. */
  readonly scaler: Scaler;
  readonly image?: ImagePreprocessing | undefined;
  readonly text?: TextPreprocessing | undefined;
  /** Names of the outputs of a classifier, in order. */
  readonly classes?: readonly string[] | undefined;
  /** Of a regressor: value = output × divisor + offset. */
  readonly targetScaler?: Scaler | undefined;
}

/**
 * Saves a model in the layers format of TensorFlow.js: `model.json`, `weights.bin`, and `preprocessing.json`; with `examples` also
 * `examples.bin`. The folder is written aside and renamed, so that it is whole where it exists.
 */
export async function saveModel(
  { tf }: Tensorflow,
  model: Layers.LayersModel,
  folder: string,
  preprocessing: Preprocessing,
  examples?: ModelExamples,
): Promise<void> {
  const aside = join(dirname(folder), `.${basename(folder)}.${process.pid}.tmp`);
  rmSync(aside, { recursive: true, force: true });
  mkdirSync(aside, { recursive: true });
  await model.save(tf.io.withSaveHandler((artifacts) => Promise.resolve(writeArtifacts(aside, artifacts))));
  writeJsonAtomically(join(aside, 'preprocessing.json'), preprocessing as unknown as JsonValue);
  if (examples !== undefined) writeExamples(aside, examples);
  rmSync(folder, { recursive: true, force: true });
  renameSync(aside, folder);
  syncFolder(dirname(folder));
}

/**
 * Reads a saved model onto the current backend; its user disposes it.
 * @throws ResweepError where a file is missing or does not fit.
 */
export async function loadModel(
  { tf, layers }: Tensorflow,
  folder: string,
): Promise<{ model: Layers.LayersModel; preprocessing: Preprocessing }> {
  try {
    const model = await layers.loadLayersModel({ load: () => Promise.resolve(readArtifacts(tf, folder)) });
    const text = readFileSync(join(folder, 'preprocessing.json'), 'utf8');
    return { model, preprocessing: parseJson(text) as unknown as Preprocessing };
  } catch (error) {
    throw new ResweepError('MODEL_UNREADABLE', `The model in ${folder} cannot be read.`, { cause: error });
  }
}

function writeArtifacts(folder: string, artifacts: Core.io.ModelArtifacts): Core.io.SaveResult {
  const { modelTopology, weightSpecs = [], weightData } = artifacts;
  const parts = weightData === undefined ? [] : Array.isArray(weightData) ? weightData : [weightData];
  writeFileAtomically(join(folder, 'weights.bin'), Buffer.concat(parts.map((part) => Buffer.from(part))));
  const json = {
    format: 'layers-model',
    generatedBy: `resweep ${VERSION}`,
    convertedBy: null,
    modelTopology,
    weightsManifest: [{ paths: ['weights.bin'], weights: weightSpecs }],
  };
  writeFileAtomically(join(folder, 'model.json'), `${JSON.stringify(json)}\n`);
  return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
}

function readArtifacts(tf: typeof Core, folder: string): Core.io.ModelArtifacts {
  const json = JSON.parse(readFileSync(join(folder, 'model.json'), 'utf8')) as Core.io.ModelJSON;
  const weights = readFileSync(join(folder, 'weights.bin'));
  const weightSpecs = tf.io.getWeightSpecs(json.weightsManifest);
  const weightData = new Uint8Array(weights).buffer;
  return { modelTopology: json.modelTopology, format: json.format ?? 'layers-model', weightSpecs, weightData };
}
