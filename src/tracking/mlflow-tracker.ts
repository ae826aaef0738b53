import { MlflowApi, MlflowError, type Fields } from './mlflow-api.js';
import { curveName, type TrackedState, type TrackedStudy, type TrackedTrial, type Tracker } from './tracker.js';

const STATUS: Readonly<Record<TrackedState, string>> = {
  running: 'RUNNING',
  complete: 'FINISHED',
  pruned: 'FINISHED',
  failed: 'FAILED',
  interrupted: 'KILLED',
};
const TAG = {
  study: 'resweep.study8',
  trial: 'resweep.trial',
  state: 'resweep.state',
} as const;

/** Bounds of one request, by MLflow. */
const MOST_METRICS = 1000;
const MOST_PARAMS = 100;
const MOST_TAGS = 100;
const LONGEST_VALUE = 5000;

interface OpenRun {
  readonly id: string;
  /** How many of the trial's reports are there. */
  reports: number;
  /** Whether its parameters are there. */
  hasParams: boolean;
}

interface FoundRun {
  readonly id: string;
  readonly status: string;
  readonly tags: Readonly<Record<string, string>>;
}

interface Metric {
  readonly key: string;
  readonly value: number | string;
  readonly timestamp: number;
  readonly step: number;
}

/** MLflow: one parent run per study, a child run per trial with parameters, a metric per step, tags and status. */
export class MlflowTracker implements Tracker {
  readonly name = 'mlflow';
  readonly #api: MlflowApi;
  readonly #experiment: string | undefined;
  readonly #runs = new Map<number, OpenRun>();
  /** Trials whose creation failed: the run may be there all the same. */
  readonly #uncertain = new Set<number>();
  #study: TrackedStudy | undefined;
  #experimentId = '';
  #parent = '';

  /** @param experiment absent: the study's name */
  constructor(url: string, experiment: string | undefined) {
    this.#api = new MlflowApi(url);
    this.#experiment = experiment;
  }

  get location(): string {
    return this.#api.location;
  }

  async begin(study: TrackedStudy): Promise<ReadonlySet<number>> {
    this.#study = study;
    this.#experimentId = await this.#findExperiment(this.#experiment ?? study.name);
    const runs = await this.#search(`tags.\`${TAG.study}\` = '${study.study8}'`);
    const parent = runs.find(({ tags }) => tags[TAG.trial] === undefined);
    this.#parent = parent?.id ?? (await this.#createParent(study));
    await this.#api.post('runs/update', { run_id: this.#parent, status: 'RUNNING' });
    const whole = new Set<number>();
    for (const { id, status, tags } of runs) {
      if (tags[TAG.trial] === undefined) continue;
      // The status is set last: a run that still runs was left by a process that was killed, and is made anew.
      if (status !== STATUS.running) whole.add(Number(tags[TAG.trial]));
      else await this.#api.post('runs/delete', { run_id: id });
    }
    return whole;
  }

  async write(trial: TrackedTrial): Promise<void> {
    const study = this.#study;
    if (study === undefined) throw new Error('write() before begin().');
    const run = this.#runs.get(trial.number) ?? (await this.#createRun(trial, study));
    // A time, a step and a value that are there already are stored once: a request can be repeated.
    const metrics: Metric[] = trial.reports.slice(run.reports).map(({ step, value, at }) => ({
      key: nameOf(curveName(study)),
      value: jsonNumber(value),
      timestamp: Math.round(at),
      step,
    }));
    const isOver = trial.state !== 'running';
    if (isOver) {
      const timestamp = Math.round(trial.completedAt ?? trial.startedAt);
      const step = trial.reports.at(-1)?.step ?? 0;
      for (const [name, value] of Object.entries({ ...trial.numbers, ...trial.values }))
        metrics.push({ key: nameOf(name), value: jsonNumber(value), timestamp, step });
    }
    const params = run.hasParams ? [] : fieldsOf(trial.params);
    const reason = trial.reason === undefined ? {} : { 'resweep.reason': trial.reason };
    const tags = isOver ? fieldsOf({ ...trial.words, ...reason, [TAG.state]: trial.state }) : [];
    for (let batch = 0; ; batch++) {
      const data = {
        metrics: part(metrics, batch, MOST_METRICS),
        params: part(params, batch, MOST_PARAMS),
        tags: part(tags, batch, MOST_TAGS),
      };
      if (Object.values(data).every((list) => list.length === 0)) break;
      await this.#api.post('runs/log-batch', { run_id: run.id, ...data });
    }
    run.hasParams = true;
    run.reports = trial.reports.length;
    if (!isOver) return;
    await this.#api.post('runs/update', {
      run_id: run.id,
      status: STATUS[trial.state],
      end_time: Math.round(trial.completedAt ?? trial.startedAt),
    });
    this.#runs.delete(trial.number);
  }

  async end(isComplete: boolean): Promise<void> {
    if (this.#parent === '') return;
    await this.#api.post('runs/update', {
      run_id: this.#parent,
      status: isComplete ? 'FINISHED' : 'SCHEDULED',
      end_time: Date.now(),
    });
  }

  async #findExperiment(name: string): Promise<string> {
    const find = async (): Promise<string> => {
      const { experiment } = await this.#api.get('experiments/get-by-name', { experiment_name: name });
      return String((experiment as Fields)['experiment_id']);
    };
    try {
      return await find();
    } catch (error) {
      if (!(error instanceof MlflowError) || error.reason !== 'RESOURCE_DOES_NOT_EXIST') throw error;
    }
    try {
      return String((await this.#api.post('experiments/create', { name }))['experiment_id']);
    } catch (error) {
      // Another sweep made it in between.
      if (!(error instanceof MlflowError) || error.reason !== 'RESOURCE_ALREADY_EXISTS') throw error;
      return find();
    }
  }

  /** Runs of the experiment that are not deleted, the oldest first. */
  async #search(filter: string): Promise<FoundRun[]> {
    const found: FoundRun[] = [];
    let token: unknown;
    do {
      const page = await this.#api.post('runs/search', {
        experiment_ids: [this.#experimentId],
        filter,
        max_results: 1000,
        order_by: ['attributes.start_time ASC'],
        ...(token === undefined ? {} : { page_token: token }),
      });
      for (const run of (page['runs'] as Fields[] | undefined) ?? []) {
        const { run_id: id, status } = run['info'] as { run_id: string; status: string };
        const tags = ((run['data'] as Fields)['tags'] as { key: string; value: string }[] | undefined) ?? [];
        found.push({ id, status, tags: Object.fromEntries(tags.map(({ key, value }) => [key, value])) });
      }
      token = page['next_page_token'];
    } while (typeof token === 'string' && token !== '');
    return found;
  }

  #createParent(study: TrackedStudy): Promise<string> {
    const goals = study.metrics.map(({ name, direction }) => `${direction} ${name}`).join(', ');
    return this.#create(study.name, study.startedAt, { [TAG.study]: study.study8, 'resweep.goal': goals });
  }

  async #createRun(trial: TrackedTrial, study: TrackedStudy): Promise<OpenRun> {
    const { number } = trial;
    const name = `trial-${String(number).padStart(4, '0')}`;
    const tags = { [TAG.study]: study.study8, [TAG.trial]: String(number), 'mlflow.parentRunId': this.#parent };
    const filter = `tags.\`${TAG.study}\` = '${study.study8}' and tags.\`${TAG.trial}\` = '${number}'`;
    const [left] = this.#uncertain.has(number) ? await this.#search(filter) : [];
    this.#uncertain.add(number);
    const id = left?.id ?? (await this.#create(name, trial.startedAt, tags));
    this.#uncertain.delete(number);
    const run = { id, reports: 0, hasParams: false };
    this.#runs.set(number, run);
    return run;
  }

  async #create(name: string, startedAt: number, tags: Readonly<Record<string, string>>): Promise<string> {
    const { run } = await this.#api.post('runs/create', {
      experiment_id: this.#experimentId,
      run_name: name,
      start_time: Math.round(startedAt),
      tags: fieldsOf(tags),
    });
    return ((run as Fields)['info'] as { run_id: string }).run_id;
  }
}

function fieldsOf(values: Readonly<Record<string, unknown>>): { key: string; value: string }[] {
  return Object.entries(values).map(([key, value]) => ({
    key: nameOf(key),
    value: String(value).slice(0, LONGEST_VALUE),
  }));
}

function part<T>(list: readonly T[], index: number, size: number): readonly T[] {
  return list.slice(index * size, (index + 1) * size);
}

/** MLflow takes letters, digits, `_-./: ` in names. */
function nameOf(name: string): string {
  return name.replaceAll(/[^\w\-./: ]/g, '_').slice(0, 250);
}

/** JSON has no NaN; MLflow reads it as a word. */
function jsonNumber(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}
