import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { writeJsonAtomically } from '../../core/atomic-file.js';
import type { ParamValue } from '../../core/distributions.js';
import { UsageError } from '../../core/errors.js';
import { canonicalJson, type JsonValue } from '../../core/json.js';
import { selectionFile } from '../../core/study-paths.js';
import { BENCHMARK_FILE, BENCHMARK_NUMBERS, numbersOf, readBenchmark } from '../benchmark/benchmark-report.js';
import type { StageRun } from '../stage.js';
import { rankedTrials, StageInputMissing, type StageStudy } from '../stage-study.js';
import { choose, numbersAskedFor, type Candidate, type Choice, type ChoiceRules } from './choose.js';

/** Content of the selection's file: the best configuration, why, and what it was chosen from. */
export interface Selection {
  readonly format: 1;
  readonly study8: string;
  readonly backbone: string;
  readonly trial: number;
  readonly params: Readonly<Record<string, ParamValue>>;
  readonly numbers: Readonly<Record<string, number>>;
  readonly reason: string;
  /** Whether it is the best across all backbones of the configuration. */
  readonly isBestOfAll: boolean;
  readonly pareto: readonly SelectionRow[];
  readonly candidates: readonly SelectionRow[];
  readonly left_out: readonly { readonly label: string; readonly reason: string }[];
  /** Digest of everything that the choice depends on. */
  readonly inputs: string;
  readonly selected_at: string;
}

export interface SelectionRow {
  readonly label: string;
  readonly study8: string;
  readonly trial: number;
  readonly numbers: Readonly<Record<string, number>>;
}

/** How expressions of `select.constraints` are read; given by whoever knows the configuration's language. */
export type Expressions = Pick<ChoiceRules, 'holds' | 'namesIn'>;

interface StudyCandidate extends Candidate {
  readonly study: StageStudy;
  readonly trial: number;
  readonly params: Readonly<Record<string, ParamValue>>;
}

/** Rows of a selection's file beyond those on the Pareto front. */
const MOST_CANDIDATES = 50;

/** Chooses the best configuration of each study, and the best of all; writes one file for each study. Returns the best of all. */
export async function selectBest(
  run: StageRun,
  studies: readonly StageStudy[],
  expressions: Expressions,
): Promise<Selection> {
  const [first] = studies;
  if (first === undefined) throw new UsageError('There is no study to select from.');
  const rules: ChoiceRules = {
    select: first.config.select,
    objectives: first.config.metrics,
    directions: BENCHMARK_NUMBERS,
    ...expressions,
  };
  const isBenchmarkAsked = numbersAskedFor(rules).length > 0;
  const all: StudyCandidate[] = [];
  for (const study of studies) {
    const own = await candidatesOf(run, study, isBenchmarkAsked, studies.length > 1);
    if (own.length === 0) throw new StageInputMissing('A complete trial', [study.studyDir], 'resweep run');
    all.push(...own);
  }
  const inputs = inputsOf(all, rules);
  const known = await readSelections(run, studies, inputs);
  if (known !== undefined) return known;
  const best = choose(all, rules);
  let result: Selection | undefined;
  for (const study of studies) {
    const own =
      best.chosen.study === study
        ? best
        : choose(
            all.filter((each) => each.study === study),
            rules,
          );
    const selection = selectionOf(own, all, inputs, own === best);
    const path = selectionFile(study.place, study.study8);
    writeJsonAtomically(path, selection as unknown as JsonValue);
    run.made(path);
    await run.save(path);
    if (own === best) result = selection;
  }
  const { chosen, reason } = best;
  run.info(`${chosen.label}: ${reason}.`);
  if (result === undefined) throw new Error('The chosen study is none of those given.');
  return result;
}

async function candidatesOf(
  run: StageRun,
  study: StageStudy,
  withBenchmarks: boolean,
  withBackbone: boolean,
): Promise<StudyCandidate[]> {
  const { config } = study;
  const candidates: StudyCandidate[] = [];
  for (const [index, trial] of rankedTrials(study).entries()) {
    const trialDir = study.trialDirOf(trial);
    // Only those that a benchmark would have measured are looked for at the destinations.
    if (withBenchmarks && index < config.benchmark.top) await run.isThere(join(trialDir, BENCHMARK_FILE));
    const report = readBenchmark(trialDir);
    const metrics = Object.fromEntries(config.metrics.map(({ name }, i) => [name, trial.values?.[i] ?? NaN]));
    const attributes = Object.entries(trial.userAttrs).flatMap(([key, value]) =>
      typeof value === 'number' && Number.isFinite(value) ? [[key, value] as const] : [],
    );
    candidates.push({
      study,
      trial: trial.number,
      params: study.paramsOf(trial),
      label: withBackbone ? `${config.backbone} trial ${trial.number}` : `trial ${trial.number}`,
      numbers: { ...Object.fromEntries(attributes), ...(report === undefined ? {} : numbersOf(report)), ...metrics },
    });
  }
  return candidates;
}

function inputsOf(all: readonly StudyCandidate[], { select, objectives }: ChoiceRules): string {
  const content = {
    candidates: all.map(({ study, trial, numbers }) => [study.study8, trial, numbers]),
    objectives: objectives.map(({ name, goal }) => [name, goal]),
    select: JSON.parse(JSON.stringify(select)) as JsonValue,
  };
  return createHash('sha256').update(canonicalJson(content)).digest('hex');
}

/** The selection of before, where the file of every study is there and was made from the same. */
async function readSelections(
  run: StageRun,
  studies: readonly StageStudy[],
  inputs: string,
): Promise<Selection | undefined> {
  if (run.options.force) return undefined;
  const found: Selection[] = [];
  for (const study of studies) {
    const path = selectionFile(study.place, study.study8);
    if (!(await run.isThere(path))) return undefined;
    const selection = readSelection(path);
    if (selection?.inputs !== inputs) {
      run.info(`${path} was made from other trials, benchmarks or rules: chosen anew.`);
      return undefined;
    }
    found.push(selection);
  }
  for (const study of studies) run.kept(selectionFile(study.place, study.study8));
  return found.find((selection) => selection.isBestOfAll);
}

/** A selection's file; undefined where it is missing or cannot be read. */
export function readSelection(path: string): Selection | undefined {
  if (!existsSync(path)) return undefined;
  try {
    const selection = JSON.parse(readFileSync(path, 'utf8')) as Selection;
    return typeof selection.trial === 'number' && typeof selection.inputs === 'string' ? selection : undefined;
  } catch {
    return undefined;
  }
}

function selectionOf(
  { chosen, reason, pareto, leftOut }: Choice<StudyCandidate>,
  all: readonly StudyCandidate[],
  inputs: string,
  isBestOfAll: boolean,
): Selection {
  const row = ({ label, study, trial, numbers }: StudyCandidate): SelectionRow => ({
    label,
    study8: study.study8,
    trial,
    numbers: finite(numbers),
  });
  return {
    format: 1,
    study8: chosen.study.study8,
    backbone: chosen.study.config.backbone,
    trial: chosen.trial,
    params: chosen.params,
    numbers: finite(chosen.numbers),
    reason,
    isBestOfAll,
    pareto: pareto.map(row),
    candidates: all.slice(0, MOST_CANDIDATES).map(row),
    left_out: leftOut,
    inputs,
    selected_at: new Date().toISOString(),
  };
}

function finite(numbers: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(numbers).filter(([, value]) => Number.isFinite(value)));
}
