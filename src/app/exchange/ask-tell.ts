import { toDatabaseTime } from '../../core/clock.js';
import { currentForm, parseDistribution, type Distribution, type ParamValue } from '../../core/distributions.js';
import { messageOf, UsageError } from '../../core/errors.js';
import type { FrozenTrial } from '../../core/frozen-trial.js';
import { parseJson, stringifyJson, type JsonValue } from '../../core/json.js';
import { nearestName } from '../../core/nearest-name.js';
import type { StudyDirection } from '../../core/study-direction.js';
import type { SweepConfig } from '../../core/sweep-config.js';
import { declaredSpaceOf } from '../../config/declared-space.js';
import { NopPruner } from '../../pruners/nop-pruner.js';
import { samplerDefinitions } from '../../samplers/sampler-registry.js';
import { createStudy, loadStudy } from '../../study/create-study.js';
import type { Study } from '../../study/study.js';
import { beginStudy } from '../sweep/begin-study.js';
import { createPruner, createSampler } from '../studies/create-engine-parts.js';
import { openTarget } from '../studies/open-target.js';
import { configOfStudy } from '../studies/study-space.js';

/** A trial that somebody else is to run. */
export interface AskedTrial {
  readonly study: string;
  readonly number: number;
  readonly params: Readonly<Record<string, ParamValue>>;
}

export interface AskOptions {
  readonly target: string | undefined;
  readonly studyName?: string | undefined;
  /** Optuna's form, for a study without a configuration: `{"x": {"name": "FloatDistribution", "attributes": {…}}}`. */
  readonly searchSpace?: string | undefined;
  /** Sampler in place of the configured one. */
  readonly sampler?: string | undefined;
  /** Begins the study where there is none of this name. */
  readonly directions?: readonly string[] | undefined;
  /** The trial is given up where nobody renews its heartbeat (`tell --heartbeat`) within the grace period. */
  readonly heartbeat?: boolean | undefined;
}

/** Takes the next trial of a study: a waiting one, else one that the sampler proposes. @throws UsageError */
export async function askTrial(options: AskOptions): Promise<AskedTrial> {
  const fixed = options.searchSpace === undefined ? undefined : readSearchSpace(options.searchSpace);
  if (options.directions === undefined) await beginStudy(options.target, options.studyName);
  else await beginIn(options, options.directions);
  const opened = await openTarget(options.target, { studyName: options.studyName, readOnly: false });
  let { study } = opened;
  try {
    const config = opened.config ?? (await configOfStudy(study));
    if (config === undefined && fixed === undefined) {
      throw new UsageError(`Study "${study.studyName}" holds no configuration: name the parameters to be suggested.`, {
        hint: '--search-space \'{"x": {"name": "FloatDistribution", "attributes": {"low": 0, "high": 1}}}\'',
      });
    }
    if (config !== undefined && fixed !== undefined) {
      throw new UsageError(`Study "${study.studyName}" has a configuration that declares its space.`, {
        hint: 'Leave --search-space out.',
      });
    }
    study = await studyLike(study, config, options.sampler);
    const trial = fixed === undefined ? await study.askDeclared() : await study.ask(fixed);
    if (trial === undefined) throw new Error('The storage created no trial.');
    await trial.flush();
    if (options.heartbeat === true) await beat(study, trial.trialId);
    const constants = config === undefined ? {} : declaredSpaceOf(config).constants;
    return { study: study.studyName, number: trial.number, params: { ...constants, ...trial.params } };
  } finally {
    await study.leave();
    await opened.close();
  }
}

export interface TellTrialOptions {
  readonly target: string | undefined;
  readonly studyName?: string | undefined;
  readonly number: number;
  readonly values?: readonly number[] | undefined;
  readonly state?: 'COMPLETE' | 'PRUNED' | 'FAIL' | undefined;
  readonly skipIfFinished?: boolean | undefined;
  /** Only says that the trial is still running. */
  readonly heartbeat?: boolean | undefined;
}

/** Records the result of a trial that was asked for. @throws UsageError, UpdateFinishedTrialError */
export async function tellTrial(options: TellTrialOptions): Promise<{ study: string; trial: FrozenTrial }> {
  const { number, values, state } = options;
  const opened = await openTarget(options.target, { studyName: options.studyName, readOnly: false });
  let { study } = opened;
  try {
    study = await studyLike(study, opened.config ?? (await configOfStudy(study)), undefined);
    if (options.heartbeat === true) return { study: study.studyName, trial: await renew(study, number) };
    const objectives = study.directions.length;
    if (values !== undefined && values.length !== objectives) {
      throw new UsageError(
        `Study "${study.studyName}" has ${objectives} ${objectives === 1 ? 'objective' : 'objectives'}, but ${values.length} values came.`,
      );
    }
    const trial = await study.tell(number, values, {
      ...(state === undefined ? {} : { state }),
      skipIfFinished: options.skipIfFinished ?? false,
    });
    return { study: study.studyName, trial };
  } finally {
    await study.leave();
    await opened.close();
  }
}

async function renew(study: Study, number: number): Promise<FrozenTrial> {
  await study.sync();
  const trial = study.history.all[number];
  if (trial === undefined) throw new UsageError(`There is no trial ${number} in study "${study.studyName}".`);
  if (trial.state !== 'RUNNING') {
    throw new UsageError(`Trial ${number} is not running any more: it is ${trial.state}.`, { code: 'NOT_RUNNING' });
  }
  await beat(study, trial.trialId);
  return trial;
}

async function beat(study: Study, trialId: number): Promise<void> {
  await study.storage.heartbeat('', [trialId], toDatabaseTime(Date.now()));
}

/** The study with the parts that its configuration names, else with the defaults. */
async function studyLike(
  study: Study,
  config: SweepConfig | undefined,
  samplerType: string | undefined,
): Promise<Study> {
  const type = samplerType ?? config?.sampler.type ?? 'tpe';
  if (!samplerDefinitions.some((definition) => definition.type === type)) {
    const known = samplerDefinitions.map((definition) => definition.type);
    const nearest = nearestName(type, known);
    throw new UsageError(`There is no sampler "${type}".`, {
      hint: nearest === undefined ? `There are ${known.join(', ')}.` : `Did you mean "${nearest}"?`,
    });
  }
  const own = config?.sampler.type === type ? config.sampler : { type, options: {} };
  return loadStudy({
    storage: study.storage,
    studyName: study.studyName,
    sampler: createSampler(own),
    pruner: config === undefined ? new NopPruner() : createPruner(config.pruner),
    retry: config?.retry,
    declaredSpace: config === undefined ? undefined : declaredSpaceOf(config),
  });
}

/** Begins a study in a database, as Optuna's `ask` does; one that is there is gone on with. */
async function beginIn(options: AskOptions, directions: readonly string[]): Promise<void> {
  const { target, studyName } = options;
  if (target === undefined || studyName === undefined)
    throw new UsageError('--direction begins a study: name the storage and --study NAME.');
  const study = await createStudy({
    storage: target,
    studyName,
    directions: directions as readonly StudyDirection[],
    loadIfExists: true,
  });
  await study.close();
}

function readSearchSpace(text: string): Record<string, Distribution> {
  const bad = (why: string, cause?: unknown): UsageError =>
    new UsageError(`--search-space ${why}.`, {
      cause,
      hint: '--search-space \'{"x": {"name": "FloatDistribution", "attributes": {"low": 0, "high": 1}}}\'',
    });
  let value: JsonValue;
  try {
    value = parseJson(text);
  } catch (error) {
    throw bad(`is not JSON: ${messageOf(error)}`, error);
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) throw bad('must be a JSON object');
  return Object.fromEntries(
    Object.entries(value as Readonly<Record<string, JsonValue>>).map(([name, distribution]) => {
      try {
        return [name, currentForm(parseDistribution(stringifyJson(distribution)))];
      } catch (error) {
        throw bad(`: "${name}": ${messageOf(error).replace(/\.$/, '')}`, error);
      }
    }),
  );
}
