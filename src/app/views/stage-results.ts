import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import type { JsonValue } from '../../core/json.js';
import { selectionFile, conversionFolder, finalTrainingFolder, TRIALS_FOLDER } from '../../core/study-paths.js';
import { readJsonFile } from '../trials/trial-files.js';

export type { BenchmarkReport } from '../../pipeline/benchmark/benchmark-report.js';
export type { Selection } from '../../pipeline/select/run-select.js';

/** What a stage after the sweep left behind. */
export interface StageResult {
  readonly stage: 'benchmark' | 'selection' | 'training' | 'conversion';
  /** Folder or file, relative to `outputs/`. */
  readonly place: string;
  /** As it is in the file: a program of the user's may have written another shape. */
  readonly content: JsonValue;
}

/** Content of a final training: `training.json`, with `metrics.json` as `metrics`. */
export interface TrainingResult {
  readonly format: 1;
  readonly trial: number;
  readonly params: Readonly<Record<string, string | number | boolean | null>>;
  readonly final: { readonly epochs: number | null; readonly seeds: number; readonly data: string };
  readonly kept_seed: number;
  readonly seeds: readonly {
    readonly seed: number;
    readonly seconds: number;
    readonly curve: readonly (readonly [step: number, value: number])[];
  }[];
  readonly trained_at: string;
  /** Means over the seeds by name; `standard_deviations` and `seeds` where there are several. */
  readonly metrics?: Readonly<Record<string, JsonValue>>;
}

/** Content of `conversion.json`. */
export interface ConversionResult {
  readonly format: 1;
  readonly kind: string;
  readonly file?: string;
  readonly bytes?: number;
  readonly parameters?: number;
  readonly input?: { readonly name: string; readonly type: string; readonly shape: readonly (string | number)[] };
  readonly checked?: {
    readonly by: string;
    readonly rows: number;
    readonly max_difference: number;
    readonly tolerance: number;
  } | null;
  readonly seconds: number;
  readonly converted_at: string;
}

/** Results of the stages that used a study, wherever its folder lies; what cannot be read is left out. */
export function stageResults(studyDir: string, study8: string): StageResult[] {
  const backbone = basename(dirname(studyDir));
  const environment = basename(dirname(dirname(studyDir)));
  const projectRoot = dirname(dirname(dirname(dirname(dirname(studyDir)))));
  const place = { projectRoot, environment, backbone };
  const outputs = join(projectRoot, 'outputs');
  const results: StageResult[] = [];
  const add = (stage: StageResult['stage'], folder: string, name: string): JsonValue | undefined => {
    const content = readJsonFile(folder, name);
    if (content !== undefined) results.push({ stage, place: join(folder, name).slice(outputs.length + 1), content });
    return content;
  };
  const trials = join(studyDir, TRIALS_FOLDER);
  for (const name of foldersIn(trials)) add('benchmark', join(trials, name), 'benchmark.json');
  const selection = selectionFile(place, study8);
  add('selection', dirname(selection), basename(selection));
  const trained = dirname(finalTrainingFolder(place, 'x'));
  for (const name of foldersIn(trained)) {
    const folder = join(trained, name);
    const training = readJsonFile(folder, 'training.json');
    const metrics = readJsonFile(folder, 'metrics.json');
    if (!belongsTo(training ?? metrics, study8)) continue;
    const content = { ...(isRecord(training) ? training : {}), ...(metrics === undefined ? {} : { metrics }) };
    results.push({ stage: 'training', place: folder.slice(outputs.length + 1), content });
    const converted = dirname(conversionFolder(place, name.replace('spec-', ''), 'x'));
    for (const conversion of foldersIn(converted)) add('conversion', join(converted, conversion), 'conversion.json');
  }
  return results;
}

function foldersIn(path: string): string[] {
  if (!existsSync(path)) return [];
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map(({ name }) => name)
    .sort();
}

function isRecord(value: JsonValue | undefined): value is Readonly<Record<string, JsonValue>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether a stage's record names this study, or no study at all. */
function belongsTo(record: JsonValue | undefined, study8: string): boolean {
  if (record === undefined) return false;
  const text = JSON.stringify(record, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
  return text.includes(study8) || !/"(?:study8|study_8)"/.test(text);
}
