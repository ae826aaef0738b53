import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';

import { messageOf } from '../../core/errors.js';

/**
 * Loads every model and every checkpoint below a folder: models in the layers format of TensorFlow.js, checkpoints of the built-in
 * trainers.
 * @returns what cannot be used, one sentence each
 */
export async function unusableModels(folder: string): Promise<string[]> {
  const problems: string[] = [];
  const files = readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  for (const file of files) {
    const name = basename(file);
    try {
      if (/^checkpoint-\d+\.bin$/.test(name)) (await import('../../training/checkpoint.js')).checkCheckpoint(file);
      else if (name === 'model.json') await loadOnce(dirname(file));
    } catch (error) {
      problems.push(`${relative(folder, file)} cannot be used: ${messageOf(error)}`);
    }
  }
  return problems;
}

/** Loads a model and lets it go. @throws where it does not load */
async function loadOnce(folder: string): Promise<void> {
  const description = JSON.parse(readFileSync(join(folder, 'model.json'), 'utf8')) as { format?: string };
  // Another library's file of that name.
  if (description.format !== 'layers-model') return;
  const { loadTensorflow } = await import('../../training/tensorflow.js');
  const { availableBackends, useBackend } = await import('../../training/backends.js');
  const { loadModel } = await import('../../training/saved-model.js');
  const tensorflow = loadTensorflow();
  await availableBackends('cpu');
  await useBackend(tensorflow, 'cpu');
  (await loadModel(tensorflow, folder)).model.dispose();
}
