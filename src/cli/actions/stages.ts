import { readFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';

import {
  executeConversion,
  executeFinalTraining,
  runBenchmarkingLocal,
  runPipeline,
  selectBestConfiguration,
  StageInterrupted,
  type StageName,
  type StageResult,
} from '../../app/stages/stages.js';
import type { StageFunctionOptions } from '../../app/stages/stage-session.js';
import type { JsonValue } from '../../core/json.js';
import type { StageArguments } from '../arguments.js';
import { outputOf } from '../common-options.js';
import { createDisplay } from '../display/create-display.js';
import { StageDisplay } from '../display/stage-display.js';
import { formatDuration, formatNumber, type Output } from '../output.js';
import { withStopSignals } from '../stop-signals.js';

const STAGES = {
  benchmark: runBenchmarkingLocal,
  select: selectBestConfiguration,
  train: executeFinalTraining,
  convert: executeConversion,
} as const;

/** `resweep benchmark|select|train|convert|pipeline`. */
export async function stage(args: StageArguments): Promise<void> {
  const output = outputOf(args);
  const display = new StageDisplay(output);
  try {
    const { result, stoppedBy } = await withStopSignals(
      () => {
        output.info('Saving checkpoints and backup; once more to leave at once.');
      },
      async (signal) => {
        try {
          return await runStages(args, output, display, signal);
        } catch (error) {
          if (error instanceof StageInterrupted) return undefined;
          throw error;
        }
      },
    );
    display.close();
    if (result !== undefined) show(args, result, output);
    else output.info('Stopped; the same command goes on.');
    if (stoppedBy !== undefined) process.exitCode = stoppedBy;
    else if (result?.some(({ status }) => status === 'failed') === true) process.exitCode = 1;
  } finally {
    display.close();
  }
}

type NamedResult = StageResult & { readonly stage: StageName };

async function runStages(
  args: StageArguments,
  output: Output,
  display: StageDisplay,
  signal: AbortSignal,
): Promise<readonly NamedResult[]> {
  const options: StageFunctionOptions = { force: args.force, set: args.set, signal, observer: display };
  if (args.stage !== 'pipeline') return [{ stage: args.stage, ...(await STAGES[args.stage](args.config, options)) }];
  const sweepDisplay = await createDisplay(output);
  const { stages } = await runPipeline(args.config, {
    ...options,
    sweepObserver: sweepDisplay,
    onStage: (name, result) => {
      if (name === 'hpo' && result !== undefined) sweepDisplay.close();
      if (result === undefined) output.info(output.style('bold', `▸ ${name}`));
      else showStage({ stage: name, ...result }, output);
    },
  });
  return stages;
}

function show(args: StageArguments, results: readonly NamedResult[], output: Output): void {
  if (output.json) {
    const [only] = results;
    const document = args.stage === 'pipeline' || only === undefined ? { stages: results } : only;
    output.document(document as unknown as JsonValue);
    return;
  }
  if (args.stage !== 'pipeline') for (const result of results) showStage(result, output);
}

function showStage(result: NamedResult, output: Output): void {
  const { stage: name, status, elapsedSeconds, error, outputs, restored, backedUp } = result;
  const mark = status === 'failed' ? output.style('red', '✗') : output.style('green', '✓');
  const words = {
    done: 'done',
    skipped: 'was there already, complete and for the same inputs',
    failed: 'failed',
  } as const;
  output.print(`${mark} ${name}: ${words[status]} (${formatDuration(elapsedSeconds * 1000)})`);
  if (error !== undefined) {
    process.stderr.write(`Error: ${error}\n`);
  }
  for (const path of outputs.slice(0, 10)) output.print(`  ${fromHere(path)}`);
  if (restored.length > 0) output.print(`  restored: ${restored.map((path) => basename(path)).join(', ')}`);
  if (backedUp.length > 0)
    output.print(`  backed up: ${[...new Set(backedUp.map((path) => basename(path)))].join(', ')}`);
  for (const line of highlights(name, outputs)) output.print(`  ${line}`);
}

function fromHere(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith('..') ? path : short;
}

/** What a person wants to know of a stage's outputs. */
function highlights(name: StageName, outputs: readonly string[]): string[] {
  const [first] = outputs;
  if (first === undefined) return [];
  try {
    const read = (path: string): Record<string, unknown> =>
      JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
    if (name === 'select') {
      const { trial, reason, pareto } = read(first) as { trial: number; reason: string; pareto: { label: string }[] };
      return [`trial ${trial}: ${reason}`, `Pareto front: ${pareto.map(({ label }) => label).join(', ')}`];
    }
    if (name === 'train') {
      const numbers = Object.entries(read(join(first, 'metrics.json'))).filter(
        ([, value]) => typeof value === 'number',
      );
      return [numbers.map(([key, value]) => `${key} ${formatNumber(value as number)}`).join(', ')];
    }
    if (name === 'convert') {
      const { checked } = read(join(first, 'conversion.json')) as {
        checked: { rows: number; max_difference: number } | null;
      };
      return checked === null
        ? []
        : [`largest difference ${checked.max_difference.toExponential(1)} on ${checked.rows} real rows`];
    }
  } catch {
    // The paths above say where to look.
  }
  return [];
}
