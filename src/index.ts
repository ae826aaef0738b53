export { CategoricalDistribution, FloatDistribution, IntDistribution } from './core/distributions.js';
export type { CategoricalChoice, Distribution, ParamValue } from './core/distributions.js';
export {
  DuplicatedStudyError,
  ResweepError,
  StorageError,
  StudyNotFoundError,
  TrialPruned,
  UpdateFinishedTrialError,
  UsageError,
} from './core/errors.js';
export { FrozenTrial } from './core/frozen-trial.js';
export type { TrialTemplate } from './core/frozen-trial.js';
export type { JsonValue } from './core/json.js';
export type { StudyDirection } from './core/study-direction.js';
export type { RunningStudy, SearchSpace, StudyView, TrialHistory } from './core/study-view.js';
export { TrialState } from './core/trial-state.js';
export { FanovaImportanceEvaluator } from './analysis/fanova.js';
export type { ForestImportanceOptions } from './analysis/fanova.js';
export type { EvaluateOptions, ImportanceEvaluator, ImportanceTarget } from './analysis/importance-evaluator.js';
export { MeanDecreaseImpurityImportanceEvaluator } from './analysis/mean-decrease-impurity.js';
export { getParamImportances } from './analysis/param-importances.js';
export type { ParamImportancesOptions } from './analysis/param-importances.js';
export { PedAnovaImportanceEvaluator } from './analysis/ped-anova.js';
export type { PedAnovaOptions } from './analysis/ped-anova.js';
export { BestValueStagnationEvaluator } from './analysis/terminator/best-value-stagnation.js';
export { EMMREvaluator } from './analysis/terminator/emmr.js';
export type { EmmrOptions } from './analysis/terminator/emmr.js';
export {
  CrossValidationErrorEvaluator,
  MedianErrorEvaluator,
  reportCrossValidationScores,
  StaticErrorEvaluator,
} from './analysis/terminator/error-evaluators.js';
export type { ErrorEvaluator, MedianErrorOptions } from './analysis/terminator/error-evaluators.js';
export type { ImprovementEvaluator } from './analysis/terminator/improvement-evaluator.js';
export { RegretBoundEvaluator } from './analysis/terminator/regret-bound.js';
export type { RegretBoundOptions } from './analysis/terminator/regret-bound.js';
export { Terminator, TerminatorCallback } from './analysis/terminator/terminator.js';
export type { TerminatorOptions } from './analysis/terminator/terminator.js';
export type { Pruner } from './pruners/pruner.js';
export { HyperbandPruner } from './pruners/hyperband-pruner.js';
export type { HyperbandPrunerOptions } from './pruners/hyperband-pruner.js';
export { MedianPruner } from './pruners/median-pruner.js';
export { NopPruner } from './pruners/nop-pruner.js';
export { PatientPruner } from './pruners/patient-pruner.js';
export type { PatientPrunerOptions } from './pruners/patient-pruner.js';
export { PercentilePruner } from './pruners/percentile-pruner.js';
export type { PercentilePrunerOptions } from './pruners/percentile-pruner.js';
export { SuccessiveHalvingPruner } from './pruners/successive-halving-pruner.js';
export type { SuccessiveHalvingPrunerOptions } from './pruners/successive-halving-pruner.js';
export { ThresholdPruner } from './pruners/threshold-pruner.js';
export type { ThresholdPrunerOptions } from './pruners/threshold-pruner.js';
export { WilcoxonPruner } from './pruners/wilcoxon-pruner.js';
export type { WilcoxonPrunerOptions } from './pruners/wilcoxon-pruner.js';
export type { Sampler } from './samplers/sampler.js';
export { BruteForceSampler, type BruteForceSamplerOptions } from './samplers/brute-force-sampler.js';
export type { CmaEsSamplerOptions } from './samplers/cma-es-options.js';
export { CmaEsSampler } from './samplers/cma-es-sampler.js';
export type { GridSearchSpace } from './samplers/grid-points.js';
export { GridSampler, type GridSamplerOptions } from './samplers/grid-sampler.js';
export type { Bounds, Crossover } from './algorithms/crossover.js';
export {
  BLXAlphaCrossover,
  PolynomialMutation,
  SBXCrossover,
  SPXCrossover,
  UNDXCrossover,
  UniformCrossover,
  VSBXCrossover,
  type Mutation,
} from './samplers/crossovers.js';
export type { GeneticSamplerOptions } from './samplers/genetic-sampler.js';
export { NSGAIISampler, type NSGAIISamplerOptions } from './samplers/nsga-ii-sampler.js';
export { NSGAIIISampler, type NSGAIIISamplerOptions } from './samplers/nsga-iii-sampler.js';
export { PartialFixedSampler, type PartialFixedSamplerOptions } from './samplers/partial-fixed-sampler.js';
export { QMCSampler, type QMCSamplerOptions } from './samplers/qmc-sampler.js';
export { RandomSampler } from './samplers/random-sampler.js';
export { AutoSampler, type AutoSamplerOptions } from './samplers/auto-sampler.js';
export { GPSampler, type GPSamplerOptions } from './samplers/gp-sampler.js';
export type { CategoricalDistance, TPESamplerOptions } from './samplers/tpe-options.js';
export { TPESampler } from './samplers/tpe-sampler.js';
export {
  copyStudy,
  createStudy,
  deleteStudy,
  getAllStudyNames,
  getAllStudySummaries,
  loadStudy,
} from './study/create-study.js';
export type { CreateStudyOptions, LoadStudyOptions, StudySummary } from './study/create-study.js';
export { createTrial } from './study/create-trial.js';
export { getHypervolume } from './study/best-trials.js';
export { FixedTrial } from './study/fixed-trial.js';
export type { TableAttribute, TrialRow } from './study/trials-table.js';
export {
  BudgetCallback,
  MaxTrialsCallback,
  NoImprovementCallback,
  RetryHeartbeatStaleTrialCallback,
  TargetValueCallback,
} from './study/callbacks.js';
export type { Objective, OptimizeOptions, StudyCallback } from './study/optimize.js';
export { Study } from './study/study.js';
export { Trial } from './study/trial.js';
export type { ObjectiveValue } from './study/trial-values.js';
export { VERSION } from './core/version.js';
export { openStorage } from './storage/open-storage.js';
export type { OpenStorageOptions } from './storage/open-storage.js';
export type { Storage } from './storage/storage.js';
export { SqliteSnapshotSource } from './storage/rdb/sqlite-snapshot.js';
export type { SnapshotSource, StudyFileReport } from './core/snapshot-source.js';
export {
  BackupCoordinator,
  backupHpoStudyToDrive,
  combineCallbacks,
  createDestination,
  createDrive,
  createIncrementalBackupCallback,
  createStudyDbBackupCallback,
  DrivePathError,
  ensureRestoredFromDrive,
  findStudyFolder,
  FolderDestination,
  immediateBackupIfNeeded,
  isDrivePath,
  listBackups,
  setupCheckpointStorage,
  verifyBackups,
} from './backup/index.js';
export type {
  BackupOptions,
  BackupResult,
  BackupToDrive,
  CheckpointStorage,
  Destination,
  Drive,
  RestoreFromDrive,
  RestoreResult,
} from './backup/index.js';
export { runSweep } from './app/sweep/run-sweep.js';
export type { RunSweepOptions, SweepResult } from './app/sweep/run-sweep.js';
export type { SweepObserver } from './app/sweep/sweep-observer.js';
export type { SweepSummary } from './app/sweep/sweep-summary.js';
export { figureCsv, figureTable, type Figure } from './analysis/plots/figure.js';
export type { FigureTable } from './analysis/plots/figure-table.js';
export { plotContour } from './analysis/plots/contour.js';
export type { ContourFigure, ContourOptions } from './analysis/plots/contour.js';
export { plotEdf } from './analysis/plots/edf.js';
export type { EdfFigure } from './analysis/plots/edf.js';
export { plotHypervolumeHistory } from './analysis/plots/hypervolume-history.js';
export type { HypervolumeHistoryFigure, HypervolumeHistoryOptions } from './analysis/plots/hypervolume-history.js';
export { plotIntermediateValues } from './analysis/plots/intermediate-values.js';
export type { IntermediateValuesFigure } from './analysis/plots/intermediate-values.js';
export { plotOptimizationHistory } from './analysis/plots/optimization-history.js';
export type { OptimizationHistoryFigure, OptimizationHistoryOptions } from './analysis/plots/optimization-history.js';
export { plotParallelCoordinate } from './analysis/plots/parallel-coordinate.js';
export type { ParallelCoordinateFigure } from './analysis/plots/parallel-coordinate.js';
export { plotParamImportances } from './analysis/plots/param-importances-figure.js';
export type { ParamImportancesFigure, ParamImportancesPlotOptions } from './analysis/plots/param-importances-figure.js';
export { plotParetoFront } from './analysis/plots/pareto-front.js';
export type { ParetoFrontFigure, ParetoFrontOptions } from './analysis/plots/pareto-front.js';
export type { PlotTargetOptions } from './analysis/plots/plot-target.js';
export { plotRank } from './analysis/plots/rank.js';
export type { RankFigure, RankOptions } from './analysis/plots/rank.js';
export { plotSlice } from './analysis/plots/slice.js';
export type { ParamPlotOptions, SliceFigure } from './analysis/plots/slice.js';
export { plotTerminatorImprovement } from './analysis/plots/terminator-improvement.js';
export type {
  TerminatorImprovementFigure,
  TerminatorImprovementOptions,
} from './analysis/plots/terminator-improvement.js';
export { plotTimeline } from './analysis/plots/timeline.js';
export type { TimelineFigure, TimelineOptions } from './analysis/plots/timeline.js';
export {
  executeConversion,
  executeFinalTraining,
  runBenchmarkingLocal,
  runLocalHpoSweep,
  runPipeline,
  selectBestConfiguration,
} from './app/stages/stages.js';
export type { PipelineResult, StageName, StageResult } from './app/stages/stages.js';
export type { ConfigInput } from './app/stages/config-input.js';
export type { StageFunctionOptions, StageObserver } from './app/stages/stage-session.js';
