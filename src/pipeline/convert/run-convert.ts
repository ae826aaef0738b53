import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { writeFileAtomically, writeJsonAtomically } from '../../core/atomic-file.js';
import { ResweepError } from '../../core/errors.js';
import { canonicalJson, type JsonValue } from '../../core/json.js';
import { hash8 } from '../../core/random.js';
import { conversionFolder } from '../../core/study-paths.js';
import { readExamples } from '../../training/model-examples.js';
import type { StageRun } from '../stage.js';
import { MODEL_FOLDER, StageInputMissing } from '../stage-study.js';
import type { TrainingSpec } from '../train/training-spec.js';
import { runConversionCommand } from './conversion-command.js';
import { checkWithRuntime } from './onnx/check-with-runtime.js';
import { convertLayersModel } from './onnx/convert-layers-model.js';

export const CONVERSION_FILE = 'conversion.json';
export const ONNX_FILE = 'model.onnx';

/** Where a conversion lies: its identity is the training and how it is converted. */
export function conversionOf(spec: TrainingSpec): { readonly conv8: string; readonly folder: string } {
  const { convert } = spec.study.config;
  const conv8 = hash8(
    canonicalJson({
      spec8: spec.spec8,
      format: convert.format,
      command: convert.command ?? null,
      tolerance: convert.tolerance,
    }),
  );
  return { conv8, folder: conversionFolder(spec.study.place, spec.spec8, conv8) };
}

/** Converts the final model; complete once `conversion.json` is there, which is written last. */
export async function convertFinal(run: StageRun, spec: TrainingSpec): Promise<void> {
  const { convert, objective } = spec.study.config;
  const { conv8, folder } = conversionOf(spec);
  const report = join(folder, CONVERSION_FILE);
  if (run.options.force) rmSync(folder, { recursive: true, force: true });
  else if (existsSync(report) || ((await run.isThere(folder, true)) && existsSync(report))) {
    run.kept(folder);
    return;
  }
  if (convert.command === undefined && objective.type !== 'tfjs') {
    run.info(`a ${objective.type} objective is converted by a command of its own: set convert.command.`);
    return;
  }
  const modelDir = await finalModel(run, spec);
  mkdirSync(folder, { recursive: true });
  const startedAt = performance.now();
  let outcome: Record<string, JsonValue>;
  if (convert.command !== undefined) {
    outcome = await runConversionCommand(run, spec, { command: convert.command, modelDir, folder });
  } else if (convert.format === 'tfjs') outcome = copyModel(modelDir, folder);
  else outcome = await toOnnx(run, modelDir, folder, convert.tolerance);
  writeJsonAtomically(report, {
    format: 1,
    kind: convert.format,
    spec8: spec.spec8,
    conv8,
    ...outcome,
    seconds: Math.round(performance.now() - startedAt) / 1000,
    converted_at: new Date().toISOString(),
  });
  run.made(folder);
  await run.save(folder, true);
}

/** Local first, then the model's folder from a backup, then the whole training's. */
async function finalModel(run: StageRun, spec: TrainingSpec): Promise<string> {
  const isProgram = spec.study.config.objective.type !== 'tfjs';
  const path = isProgram ? spec.folder : join(spec.folder, MODEL_FOLDER);
  if (await run.isThere(path, true)) return path;
  await run.isThere(spec.folder, true);
  if (existsSync(path)) return path;
  throw new StageInputMissing('The final model', [path, 'the backups'], 'resweep train CONFIG');
}

async function toOnnx(
  run: StageRun,
  modelDir: string,
  folder: string,
  tolerance: number,
): Promise<Record<string, JsonValue>> {
  const preprocessing = readFileSync(join(modelDir, 'preprocessing.json'), 'utf8');
  const { classes } = JSON.parse(preprocessing) as { readonly classes?: readonly string[] };
  const { bytes, parameters, input } = convertLayersModel(modelDir, {
    ...(classes === undefined ? {} : { classes: JSON.stringify(classes) }),
  });
  const examples = readExamples(modelDir);
  const check =
    examples === undefined
      ? { reason: 'the model has no examples to check by' }
      : await checkWithRuntime(bytes, examples);
  if ('reason' in check) run.warn(`the converted model was not checked: ${check.reason}`);
  else if (check.maxDifference > tolerance) {
    throw new ResweepError(
      'CONVERSION_DIFFERS',
      `ONNX Runtime's answers differ from the model's by ${check.maxDifference} on ${check.rows} rows; convert.tolerance is ${tolerance}.`,
      { hint: 'Nothing was written. A larger convert.tolerance accepts it.' },
    );
  } else {
    run.info(
      `largest difference on ${check.rows} real rows: ${check.maxDifference.toExponential(1)} (accepted: ${tolerance}).`,
    );
  }
  writeFileAtomically(join(folder, ONNX_FILE), bytes);
  writeFileAtomically(join(folder, 'preprocessing.json'), preprocessing);
  return {
    file: ONNX_FILE,
    bytes: bytes.length,
    parameters,
    input: { name: input.name, type: input.type, shape: [...input.shape] },
    checked:
      'reason' in check
        ? null
        : { by: `onnxruntime-node ${check.version}`, rows: check.rows, max_difference: check.maxDifference, tolerance },
  };
}

function copyModel(modelDir: string, folder: string): Record<string, JsonValue> {
  const target = join(folder, 'tfjs');
  const aside = `${target}.${process.pid}.tmp`;
  rmSync(aside, { recursive: true, force: true });
  cpSync(modelDir, aside, { recursive: true });
  rmSync(target, { recursive: true, force: true });
  renameSync(aside, target);
  return { file: 'tfjs/model.json', bytes: statSync(join(target, 'weights.bin')).size, checked: null };
}
