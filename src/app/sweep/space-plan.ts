import { isActive, type DeclaredParameter, type DeclaredSpace } from '../../core/declared-space.js';
import {
  appendsChoices,
  isCompatible,
  isSameDistribution,
  type CategoricalDistribution,
  type Distribution,
} from '../../core/distributions.js';
import { UsageError } from '../../core/errors.js';
import { stringifyJson } from '../../core/json.js';
import type { Study } from '../../study/study.js';

/** What a changed space means for a study. */
export interface SpacePlan {
  /** What to tell the user, before anything runs. */
  readonly messages: readonly string[];
  /** Parameters that get more choices: their rows must be rewritten, or Optuna would refuse the study. */
  readonly appended: readonly { readonly name: string; readonly distribution: CategoricalDistribution }[];
}

/**
 * Compares the declared space with the parameters of the trials there, and says what a change means for them. Changes nothing.
 * @throws UsageError where a parameter changes its kind, its scale or the choices that it had
 */
export function planSpace(study: Study, space: DeclaredSpace): SpacePlan {
  const messages: string[] = [];
  const appended: { name: string; distribution: CategoricalDistribution }[] = [];
  for (const parameter of space.parameters) {
    const { name, distribution } = parameter;
    const before = study.history.firstDistribution(name);
    if (before === undefined) {
      if (wasDue(study, space, parameter))
        messages.push(`Parameter ${name} is new: earlier trials are kept without it.`);
      continue;
    }
    if (isSameDistribution(before, distribution)) continue;
    if (appendsChoices(before, distribution)) {
      appended.push({ name, distribution });
      messages.push(
        `Parameter ${name} gets more choices (${distribution.choices
          .slice(before.kind === 'categorical' ? before.choices.length : 0)
          .map((choice) => stringifyJson(choice))
          .join(', ')}): all trials are kept, and rewritten with the longer list.`,
      );
      continue;
    }
    if (!isCompatible(before, distribution)) {
      throw new UsageError(`Parameter "${name}" was ${describe(before)} and cannot become ${describe(distribution)}.`, {
        code: 'SPACE_CHANGED',
        hint: 'Put it back (choices may be added at the end), give it another name, or begin another study: resweep run … --fresh',
      });
    }
    const outside = study.history.finished.filter((trial) => {
      const internal = trial.internalParams[name];
      return internal !== undefined && !distribution.contains(internal);
    }).length;
    messages.push(
      `The range of ${name} changed from ${describe(before)} to ${describe(distribution)}: ${
        outside === 0 ? 'all trials are kept.' : `${outside} trials lie outside and will be ignored by the sampler.`
      }`,
    );
  }
  return { messages, appended };
}

/** Whether earlier trials would have had the parameter: one under a condition that none of them met is not new to them. */
function wasDue(study: Study, { constants }: DeclaredSpace, parameter: DeclaredParameter): boolean {
  return study.history.all.some(
    (trial) => trial.state !== 'WAITING' && isActive(parameter, { ...constants, ...trial.params }),
  );
}

/**
 * Rewrites the rows of parameters that get more choices, after a backup and with the study held by this process alone.
 * @param backUp takes a copy of the study as it is; returns why it could not, undefined where it could or none is wanted
 * @returns whether anything was rewritten: then the study must be opened anew
 * @throws UsageError where another process works on the study or no copy could be made; nothing has been changed then
 */
export async function appendChoices(
  study: Study,
  plan: SpacePlan,
  backUp: () => Promise<string | undefined>,
): Promise<boolean> {
  if (plan.appended.length === 0) return false;
  const [other] = await study.otherProcesses();
  if (other !== undefined) {
    throw new UsageError(
      `Choices can be appended only while no other process works on the study, but process ${other.pid} on ${other.host} does.`,
      { hint: 'Stop it (Ctrl-C there), then run this again.' },
    );
  }
  const problem = await backUp();
  if (problem !== undefined) {
    throw new UsageError(`Choices are appended only after a backup, and that failed: ${problem}`, {
      hint: 'Try again when the destination can be reached, or without it: --set backup.enabled=false',
    });
  }
  for (const { name, distribution } of plan.appended)
    await study.storage.appendChoices(study.studyId, name, distribution);
  return true;
}

function describe(distribution: Distribution): string {
  if (distribution.kind === 'categorical')
    return `one of ${distribution.choices.map((choice) => stringifyJson(choice)).join(', ')}`;
  const step = distribution.step === undefined || distribution.step === 1 ? '' : `, step ${distribution.step}`;
  return `${distribution.kind} ${distribution.low} … ${distribution.high}${distribution.log ? ', log' : ''}${step}`;
}
