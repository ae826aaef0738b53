import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import type { JsonValue } from '../core/json.js';
import { selectionFile, conversionFolder, finalTrainingFolder, TRIALS_FOLDER } from '../core/study-paths.js';
import { readJsonFile } from './trial-files.js';

/** What a stage after the sweep left behind. */
export interface StageResult {
  readonly stage: 'benchmark' | 'selection' | 'training' | 'conversion';
  /** Folder or file, relative to `outputs/`. */
  readonly place: string;
  readonly content: JsonValue;
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
    const file = ['training.json', 'metrics.json'].find((candidate) =>
      belongsTo(readJsonFile(folder, candidate), study8),
    );
    if (file === undefined) continue;
    add('training', folder, file);
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

/** Whether a stage's record names this study, or no study at all. */
function belongsTo(record: JsonValue | undefined, study8: string): boolean {
  if (record === undefined) return false;
  const text = JSON.stringify(record, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
  return text.includes(study8) || !/"(?:study8|study_8)"/.test(text);
}
