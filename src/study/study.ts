import { systemClock, toDatabaseTime, type Clock } from '../core/clock.js';
import type { DeclaredSpace } from '../core/declared-space.js';
import type { Distribution, ParamValue } from '../core/distributions.js';
import { UpdateFinishedTrialError, UsageError } from '../core/errors.js';
import type { FrozenTrial, TrialTemplate } from '../core/frozen-trial.js';
import type { JsonValue } from '../core/json.js';
import type { StudyDirection } from '../core/study-direction.js';
import type { StudyView } from '../core/study-view.js';
import type { TrialState } from '../core/trial-state.js';
import type { Pruner } from '../pruners/pruner.js';
import type { Sampler } from '../samplers/sampler.js';
import type { ProcessRecord, Storage, SyncCursor, TrialWrite } from '../storage/storage.js';
import { bestTrialOf, paretoFrontOf, requireSingleObjective } from './best-trials.js';
import { sampleDeclared } from './declared-sampling.js';
import { checkEnqueued, hasTrialWith, requireCompatible, templatesOf, waitingTemplate } from './enqueue.js';
import { runOptimize, type Objective, type OptimizeOptions } from './optimize.js';
import { Presence } from './presence.js';
import type { StudyParts } from './study-parts.js';
import { DEFAULT_RETRY, giveUpWrites, type Failure, type RetryPolicy } from './retry.js';
import { StaleTrials, type InterruptedTrial } from './stale-trials.js';
import { STUDY_ATTRIBUTE, StudyAttributes } from './study-attributes.js';
import { StudyHistory } from './study-history.js';
import { readsHistory, takeTrial } from './take-trial.js';
import { finishWrites, judge, type TellOptions, type Verdict } from './tell.js';
import { Trial, type TrialHost } from './trial.js';
import { trialsTable, type TableAttribute, type TrialRow } from './trials-table.js';
import type { ObjectiveValue } from './trial-values.js';

/** A study: a sequence of trials under one set of objectives, stored as it happens. */
export class Study implements StudyView {
  readonly storage: Storage;
  readonly studyId: number;
  readonly studyName: string;
  readonly directions: readonly StudyDirection[];
  readonly seed: number;
  readonly declaredSpace: DeclaredSpace | undefined;
  readonly sampler: Sampler;
  readonly pruner: Pruner;
  readonly retry: RetryPolicy;
  readonly #clock: Clock;
  readonly #presence: Presence;
  readonly #attributes: StudyAttributes;
  readonly #history = new StudyHistory();
  readonly #host: TrialHost;
  readonly #stale: StaleTrials;
  #cursor: SyncCursor | undefined;
  #stopped = false;

  constructor(parts: StudyParts) {
    this.storage = parts.storage;
    this.#attributes = new StudyAttributes(parts.storage, parts.record);
    this.studyId = parts.record.studyId;
    this.studyName = parts.record.studyName;
    this.directions = parts.record.directions;
    this.seed = parts.seed;
    this.sampler = parts.sampler;
    this.pruner = parts.pruner;
    this.retry = parts.retry ?? DEFAULT_RETRY;
    this.declaredSpace = parts.declaredSpace;
    this.#clock = parts.clock ?? systemClock;
    this.#presence = new Presence(parts.storage, parts.heartbeat, this.#clock);
    this.#stale = new StaleTrials(
      {
        studyId: this.studyId,
        history: this.#history,
        place: () => this.#cursor,
        sync: () => this.#sync(true),
        giveUp: (trial, failure, at) => this.#giveUp(trial, failure, at),
        write: (writes, after) => this.#write(writes, after),
      },
      this.#presence,
      this.#clock,
    );
    this.#host = {
      study: this,
      isShared: parts.storage.persistent,
      write: (writes, after) => this.#writeOrDrop(writes, after),
      firstDistribution: (name) => this.#history.firstDistribution(name),
      sampleIndependent: (trial, name, distribution) =>
        this.sampler.sampleIndependent(this.#viewFor(trial), trial, name, distribution),
      setStudySystemAttr: (key, value) => {
        this.#attributes.setSystem(key, value);
      },
      shouldPrune: (trial) => this.#shouldPrune(trial),
    };
  }

  // ---- looking -------------------------------------------------------------------------------------------------------

  /** The trials known to this process; `trials()` brings it up to date. */
  get history(): StudyHistory {
    return this.#history;
  }

  /** The one direction. @throws UsageError with several objectives. */
  get direction(): StudyDirection {
    requireSingleObjective(this.directions, 'direction', 'directions');
    return this.directions[0] ?? 'minimize';
  }

  get userAttrs(): Readonly<Record<string, JsonValue>> {
    return this.#attributes.user;
  }

  get systemAttrs(): Readonly<Record<string, JsonValue>> {
    return this.#attributes.system;
  }

  get metricNames(): readonly string[] | undefined {
    const names = this.systemAttrs[STUDY_ATTRIBUTE.metricNames];
    return Array.isArray(names) ? (names as readonly string[]) : undefined;
  }

  /** All trials by number, or those of some states. */
  async trials(options: { states?: readonly TrialState[] } = {}): Promise<FrozenTrial[]> {
    await this.sync();
    const trials = this.#history.all.filter(Boolean);
    return options.states === undefined ? trials : trials.filter((trial) => options.states?.includes(trial.state));
  }

  /** All trials as rows of a table, see `trialsTable`. */
  async trialsTable(options: { attrs?: readonly TableAttribute[] } = {}): Promise<TrialRow[]> {
    return trialsTable(await this.trials(), this.directions.length, { ...options, metricNames: this.metricNames });
  }

  /** The best COMPLETE feasible trial. @throws UsageError where there is none, or with several objectives. */
  async bestTrial(): Promise<FrozenTrial> {
    requireSingleObjective(this.directions, 'bestTrial()', 'bestTrials()');
    await this.sync();
    const best = bestTrialOf(this.#history.finished, this.direction);
    if (best === undefined)
      throw new UsageError('No trial is completed yet (or none is feasible).', { code: 'NO_COMPLETE_TRIAL' });
    return best;
  }

  /** The Pareto front; with one objective the best trial and its equals. */
  async bestTrials(): Promise<FrozenTrial[]> {
    await this.sync();
    return paretoFrontOf(this.#history.finished, this.directions);
  }

  /** @throws UsageError as `bestTrial`. */
  async bestValue(): Promise<number> {
    return (await this.bestTrial()).value ?? NaN;
  }

  /** @throws UsageError as `bestTrial`. */
  async bestParams(): Promise<Readonly<Record<string, ParamValue>>> {
    return (await this.bestTrial()).params;
  }

  /** Reads what other processes changed. Costs microseconds where nothing did. */
  async sync(): Promise<void> {
    await this.#sync(false);
  }

  async #sync(exact: boolean): Promise<void> {
    const { trials, cursor } = await this.storage.sync(this.studyId, this.#cursor, { exact });
    this.#cursor = cursor;
    if (trials.length > 0) this.#history.apply(trials);
  }

  // ---- attributes ----------------------------------------------------------------------------------------------------

  async setUserAttr(key: string, value: JsonValue): Promise<void> {
    await this.#attributes.setUser(key, value);
  }

  /** For the engine and those who extend it. */
  async setSystemAttr(key: string, value: JsonValue): Promise<void> {
    this.#attributes.setSystem(key, value);
    await this.#attributes.pending;
  }

  /** Names of the objectives, shown by dashboards. @throws UsageError where their number is not that of the objectives. */
  async setMetricNames(names: readonly string[]): Promise<void> {
    if (names.length !== this.directions.length) {
      throw new UsageError(
        `The study has ${this.directions.length} objectives, but ${names.length} metric names came.`,
      );
    }
    await this.setSystemAttr(STUDY_ATTRIBUTE.metricNames, names);
  }

  /** Reads the study's attributes anew. */
  async refreshAttributes(): Promise<void> {
    await this.#attributes.refresh();
  }

  // ---- ask and tell --------------------------------------------------------------------------------------------------

  /**
   * Takes the next trial: a waiting one, else a new one. With `fixedDistributions` these parameters are suggested at once.
   * @throws StorageError
   */
  async ask(fixedDistributions: Readonly<Record<string, Distribution>> = {}): Promise<Trial> {
    const trial = await this.#begin();
    if (trial === undefined) throw new Error('The storage created no trial.');
    trial.beginAttempt(0, trial.frozen, () => this.#sampleRelative(trial));
    for (const [name, distribution] of Object.entries(fixedDistributions)) trial.suggest(name, distribution);
    return trial;
  }

  /**
   * Takes the next trial and samples the declared space whole, its conditions and `feasible:` rules kept; everything is stored
   * before it returns. With a `total`, undefined where the study has that many trials (superseded ones not counted).
   * @throws UsageError where the study has no declared space or no feasible point is found.
   */
  async askDeclared(options: { total?: number } = {}): Promise<Trial | undefined> {
    const space = this.declaredSpace;
    if (space === undefined) throw new UsageError('This study has no declared space.');
    const trial = await this.#begin(options.total);
    if (trial === undefined) return undefined;
    sampleDeclared(trial, space, this.seed, () => this.#sampleRelative(trial));
    await trial.flush();
    return trial;
  }

  async #begin(total?: number): Promise<Trial | undefined> {
    await this.#presence.enter();
    await this.#storeSeed();
    await this.#stale.takeOverNowAndThen();
    const state = await takeTrial(this, this.#history, {
      at: toDatabaseTime(this.#clock.now()),
      owner: this.storage.persistent ? this.#presence.processId : undefined,
      total,
      place: () => this.#cursor,
    });
    if (state === undefined) return undefined;
    this.#history.apply([state]);
    this.#presence.add(state.trialId);
    const trial = new Trial(this.#host, state, this.#history.logicalIndexOf(state));
    if (this.sampler.needsStudyAttributes?.(this.#viewFor(trial)) === true) await this.#attributes.refresh();
    this.sampler.beforeTrial?.(this.#viewFor(trial), trial);
    return trial;
  }

  /** A study that another program made gets its seed with its first trial of ours. */
  async #storeSeed(): Promise<void> {
    if (!this.storage.persistent || this.#attributes.hasSystem(STUDY_ATTRIBUTE.seed)) return;
    await this.setSystemAttr(STUDY_ATTRIBUTE.seed, this.seed);
  }

  #sampleRelative(trial: Trial): Readonly<Record<string, ParamValue>> {
    const view = this.#viewFor(trial);
    return this.sampler.sampleRelative(view, trial, this.sampler.inferRelativeSearchSpace(view, trial));
  }

  #viewFor(trial: Trial): StudyView {
    return this.pruner.viewFor?.(this, trial.logicalIndex) ?? this;
  }

  async #shouldPrune(trial: Trial): Promise<boolean> {
    requireSingleObjective(this.directions, 'shouldPrune()', 'one objective');
    await this.sync();
    return this.pruner.prune(this, trial.frozen, trial);
  }

  /**
   * Ends a trial. Without a state it is COMPLETE where the values can stand, else FAIL, as in Optuna; PRUNED takes the last report
   * as its value.
   * @param trialOrNumber the trial, or the number of a running one
   * @throws UsageError for values that do not fit an explicit COMPLETE, or an unknown number
   * @throws UpdateFinishedTrialError where it is finished already, unless skipIfFinished
   */
  async tell(trialOrNumber: Trial | number, values?: ObjectiveValue, options: TellOptions = {}): Promise<FrozenTrial> {
    const trial = typeof trialOrNumber === 'number' ? await this.#runningTrial(trialOrNumber, options) : trialOrNumber;
    if (!(trial instanceof Trial)) return trial;
    const outcome = judge(trial.frozen, values, options.state, this.directions.length);
    this.sampler.afterTrial?.(this.#viewFor(trial), trial, outcome.state, outcome.values);
    const at = toDatabaseTime(this.#clock.now());
    // How often it was tried before says whether it is tried again.
    if (outcome.state === 'FAIL' && !readsHistory(this)) await this.sync();
    const { writes, after } =
      outcome.state === 'FAIL'
        ? this.#giveUp(
            trial.frozen,
            options.failure ?? { interrupted: false, message: outcome.problem ?? 'told as failed' },
            at,
          )
        : finishWrites(trial.frozen, outcome.state, outcome.values, at);
    try {
      // No pause without need: in this very turn the parameters still go with the result in one transaction.
      if (this.#attributes.pending !== undefined) await this.#attributes.pending;
      await this.#write([...trial.takePending(), ...writes], after);
    } catch (error) {
      if (!(error instanceof UpdateFinishedTrialError)) throw error;
      return await this.#lateResult(trial, outcome, options, error);
    }
    this.#presence.remove(trial.trialId);
    return this.#known(trial.number);
  }

  async #runningTrial(number: number, options: TellOptions): Promise<Trial | FrozenTrial> {
    await this.sync();
    const known = this.#history.all[number];
    if (known === undefined) throw new UsageError(`There is no trial ${number} in study "${this.studyName}".`);
    if (known.isFinished) {
      if (options.skipIfFinished === true) return known;
      throw new UpdateFinishedTrialError(
        known.trialId,
        `Trial ${number} is finished (${known.state}) and cannot be told again.`,
      );
    }
    if (known.state === 'WAITING')
      throw new UsageError(`Trial ${number} is waiting: ask for it before telling its result.`);
    return new Trial(this.#host, known, this.#history.logicalIndexOf(known));
  }

  #giveUp(trial: FrozenTrial, failure: Failure, at: string): { writes: TrialWrite[]; after: FrozenTrial } {
    const logicalIndex = this.#history.logicalIndexOf(trial);
    return giveUpWrites(this.studyId, trial, logicalIndex, failure, this.retry, at, this.#history.all);
  }

  /** A result for a trial that somebody else has ended meanwhile: kept with the study, never a second result of the trial. */
  async #lateResult(trial: Trial, outcome: Verdict, options: TellOptions, error: Error): Promise<FrozenTrial> {
    const isEndedByOthers = this.#presence.remove(trial.trialId);
    await this.sync();
    const stored = this.#known(trial.number);
    if (isEndedByOthers || stored.isInterrupted) {
      const { state, values } = outcome;
      const at = toDatabaseTime(this.#clock.now());
      await this.setSystemAttr(`${STUDY_ATTRIBUTE.lateResult}${trial.number}`, { state, values: values ?? null, at });
    } else if (options.skipIfFinished !== true) throw error;
    return stored;
  }

  #known(number: number): FrozenTrial {
    const trial = this.#history.all[number];
    if (trial === undefined) throw new Error(`Trial ${number} is unknown.`);
    return trial;
  }

  /** Stores a batch about one trial and takes over the trial as it is `after` it. */
  async #write(writes: readonly TrialWrite[], after: FrozenTrial): Promise<void> {
    if (writes.length === 0) return;
    const created = await this.storage.write(writes, this.#cursor);
    this.#history.apply([after, ...created]);
  }

  /** The same for what an objective reports: of a trial that was given up meanwhile it is dropped, and its result will be a late one. */
  async #writeOrDrop(writes: readonly TrialWrite[], after: FrozenTrial): Promise<void> {
    try {
      await this.#write(writes, after);
    } catch (error) {
      if (!(error instanceof UpdateFinishedTrialError)) throw error;
      if (!this.#presence.has(after.trialId)) throw error;
      await this.sync();
    }
  }

  // ---- running -------------------------------------------------------------------------------------------------------

  /**
   * Calls the objective for one trial after another, in this process.
   * @throws whatever the objective threw, unless `catch` covers it (its trial is FAIL either way)
   */
  async optimize(objective: Objective, options: OptimizeOptions<Study> = {}): Promise<void> {
    this.#stopped = false;
    await runOptimize(this, objective, options);
  }

  /** Ends a running `optimize` after the trials now running. */
  stop(): void {
    this.#stopped = true;
  }

  get isStopped(): boolean {
    return this.#stopped;
  }

  /** Whether the sampler has nothing left to try (a grid that is used up) and no trial waits to be run. */
  async isExhausted(): Promise<boolean> {
    if (this.sampler.isExhausted === undefined) return false;
    await this.sync();
    return !this.#history.unfinished.some(({ state }) => state === 'WAITING') && this.sampler.isExhausted(this);
  }

  /**
   * Queues a trial with these parameters (the rest is sampled when it runs).
   * @param options.skipIfExists do nothing where a trial with exactly these parameters exists
   * @throws UsageError where the study's declared space does not know a parameter
   */
  async enqueueTrial(
    params: Readonly<Record<string, ParamValue>>,
    options: { userAttrs?: Readonly<Record<string, JsonValue>>; skipIfExists?: boolean } = {},
  ): Promise<void> {
    if (this.declaredSpace !== undefined) checkEnqueued(params, this.declaredSpace);
    if (options.skipIfExists === true) {
      await this.sync();
      if (hasTrialWith(this.#history.all, params)) return;
    }
    await this.addTrials([waitingTemplate(params, options.userAttrs ?? {})]);
  }

  /** Adds a trial as it is (see `createTrial`), or a copy of another study's. */
  async addTrial(trial: TrialTemplate | FrozenTrial): Promise<void> {
    await this.addTrials([trial]);
  }

  /** Adds several in one transaction. @throws UsageError where one does not fit the study. */
  async addTrials(trials: readonly (TrialTemplate | FrozenTrial)[]): Promise<void> {
    const templates = templatesOf(trials, this.directions.length);
    await this.sync();
    requireCompatible(templates, (name) => this.#history.firstDistribution(name));
    this.#history.apply(await this.storage.createTrials(this.studyId, templates, { cursor: this.#cursor }));
  }

  // ---- trials that lost their process --------------------------------------------------------------------------------

  /** Other processes that work on studies of this storage at present. */
  otherProcesses(): Promise<ProcessRecord[]> {
    return this.#presence.others();
  }

  /**
   * Looks for running trials whose process is gone; each is interrupted and, within its budget, queued again. `ask` does so by
   * itself now and then. Returns the trials that were given up.
   */
  async interruptStaleTrials(): Promise<FrozenTrial[]> {
    return this.#stale.interruptStale();
  }

  /** Gives running trials up because their machine is known to be gone (a restored study). Returns those that were given up. */
  async interruptTrials(trials: readonly InterruptedTrial[]): Promise<FrozenTrial[]> {
    return this.#stale.interrupt(trials);
  }

  /**
   * Leaves the storage's list of processes once everything is stored. A trial that is still running then belongs to whoever
   * tells it. The storage stays open.
   */
  async leave(): Promise<void> {
    await this.#attributes.pending;
    await this.#presence.leave();
  }

  /** The same, but only where no trial of this process is running. */
  async leaveIfIdle(): Promise<void> {
    if (this.#presence.isIdle) await this.leave();
  }

  /** Leaves and closes the storage. */
  async close(): Promise<void> {
    await this.leave();
    await this.storage.close();
  }
}
