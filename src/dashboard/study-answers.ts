import type { Distribution } from '../core/distributions.js';
import { messageOf } from '../core/errors.js';
import { backupView } from '../app/backup/backup-view.js';
import { rangeText } from '../app/views/report-content.js';
import { STOP_ATTRIBUTE } from '../app/sweep/stop-request.js';
import { storedConfigOf } from '../app/studies/stored-config.js';
import type { CatalogEntry, Study } from '../app/studies/study-catalog.js';
import { FIGURE_KINDS, isApplicable } from '../app/views/study-figures.js';
import { bestOf, countTrials } from '../app/sweep/sweep-summary.js';
import { notedTrials, readNote } from '../app/trials/trial-notes.js';
import type { BestResult, Counts, ParamInfo, Safety, StudyDetail, StudySummary } from './api-types.js';
import { attributeLines, finiteOr, paramInfo, resultNumber, scalarsOf, trialLine } from './serialize.js';
import type { OpenedStudy } from './open-studies.js';
import { placeLabels, type Studies } from './studies.js';

const SPARK = 48;

/** A study in the list; one that cannot be read is shown as such. */
export async function studySummary(studies: Studies, entry: CatalogEntry): Promise<StudySummary> {
  if (entry.error !== undefined) return brokenSummary(entry, entry.error);
  try {
    return summaryOf(await studies.open(entry.id));
  } catch (error) {
    return brokenSummary(entry, messageOf(error));
  }
}

function brokenSummary(entry: CatalogEntry, error: string): StudySummary {
  return {
    id: entry.id,
    name: entry.studyName ?? (entry.study8 === undefined ? entry.place : `study-${entry.study8}`),
    place: entry.place,
    study8: entry.study8 ?? null,
    ...placeLabels(entry),
    status: 'broken',
    error,
    directions: [],
    metricNames: [],
    counts: null,
    target: null,
    best: null,
    frontSize: null,
    spark: [],
    safety: { level: 'off', text: '' },
  };
}

/** What is counted over all trials of a study, once for each of its changes. */
interface StudyFacts {
  readonly revision: number;
  readonly counts: Counts;
  readonly best: ReturnType<typeof bestOf>;
  readonly spark: readonly (number | null)[];
  readonly params: readonly ParamInfo[];
  readonly hasReports: boolean;
}

const knownFacts = new WeakMap<Study, StudyFacts>();

function factsOf({ study, revision }: OpenedStudy): StudyFacts {
  const known = knownFacts.get(study);
  if (known?.revision === revision) return known;
  const facts = {
    revision,
    counts: countTrials(study),
    best: bestOf(study),
    spark: spark(study),
    params: paramsOf(study),
    hasReports: hasReports(study),
  };
  knownFacts.set(study, facts);
  return facts;
}

export function summaryOf(opened: OpenedStudy): StudySummary {
  const { entry, study, config } = opened;
  const facts = factsOf(opened);
  const { counts } = facts;
  const target = storedConfigOf(study)?.trials ?? config?.trials ?? null;
  const { best, paretoFront } = facts.best;
  return {
    id: entry.id,
    name: study.studyName,
    place: entry.place,
    study8: entry.study8 ?? null,
    ...placeLabels(entry),
    status: statusOf(counts, target),
    error: null,
    directions: study.directions,
    metricNames: metricNames(study),
    counts,
    target,
    best: best === null ? null : bestResult(best),
    frontSize: paretoFront?.length ?? null,
    spark: facts.spark,
    safety: safetyOf({ entry, study, config }),
  };
}

function statusOf(counts: Counts, target: number | null): StudySummary['status'] {
  if (counts.running > 0) return 'running';
  if (counts.total === 0) return 'empty';
  return target !== null && counts.finished >= target ? 'done' : 'idle';
}

export function metricNames(study: Study): string[] {
  const several = study.directions.length > 1;
  return study.directions.map((_, i) => study.metricNames?.[i] ?? (several ? `objective ${i}` : 'value'));
}

function bestResult(best: NonNullable<ReturnType<typeof bestOf>['best']>): BestResult {
  const values = best.values ?? [best.value ?? NaN];
  return { number: best.number, values: values.map(resultNumber), params: scalarsOf(best.params) };
}

/** Best so far at even places of the study. */
function spark(study: Study): (number | null)[] {
  const [direction] = study.directions;
  if (study.directions.length !== 1) return [];
  let best = NaN;
  const steps = study.history.all.map((trial) => {
    const value = trial.state === 'COMPLETE' && trial.isFeasible ? (trial.value ?? NaN) : NaN;
    if (!(direction === 'maximize' ? value <= best : value >= best) && !Number.isNaN(value)) best = value;
    return best;
  });
  const count = Math.min(SPARK, steps.length);
  return Array.from({ length: count }, (_, i) =>
    finiteOr(steps[Math.floor(((i + 1) * steps.length) / count) - 1] ?? NaN),
  );
}

/** How safe a study is, in a few words. */
function safetyOf({ entry, study, config }: Omit<OpenedStudy, 'revision'>): Safety {
  const view = backupView(study, entry.studyDir, config);
  if (view.destinations.length === 0) return { level: 'off', text: 'no backups' };
  const { atRisk } = view;
  const good = view.destinations.filter(({ lastGoodAt }) => lastGoodAt !== null);
  if (good.length === 0) return { level: 'risk', text: 'no good copy yet' };
  const missing = good.reduce((least, one) => Math.min(least, one.missingTrials), Infinity);
  if (atRisk.everything)
    return { level: 'behind', text: missing === 0 ? 'same disk only' : `${missing} not copied, same disk only` };
  if (atRisk.trials > 0) return { level: 'behind', text: `${atRisk.trials} trials not copied yet` };
  return { level: 'safe', text: `all trials on ${good.map(({ name }) => name).join(', ')}` };
}

export function studyDetail(opened: OpenedStudy): StudyDetail {
  const { study } = opened;
  const facts = factsOf(opened);
  const stored = storedConfigOf(study);
  const notes = notedTrials(study);
  const wish = study.systemAttrs[STOP_ATTRIBUTE] as { at?: unknown } | undefined;
  const failures = study.history.all.filter((trial) => trial.state === 'FAIL' && !trial.isInterrupted).slice(-5);
  const running = study.history.unfinished.filter(({ state }) => state === 'RUNNING');
  const newestStart = running.reduce(
    (latest, { startedAt }) => ((startedAt ?? '') > latest ? (startedAt ?? '') : latest),
    '',
  );
  return {
    ...summaryOf(opened),
    revision: opened.revision,
    params: facts.params,
    figures: FIGURE_KINDS.filter(
      (kind) => isApplicable(kind, study.directions.length) && (kind !== 'intermediateValues' || facts.hasReports),
    ),
    userAttrs: attributeLines(study.userAttrs),
    note: readNote(study),
    config:
      stored === undefined
        ? null
        : {
            revision: stored.revision,
            trials: stored.trials,
            parallel: stored.parallel,
            edited: stored.edited === true,
            text: stored.text,
          },
    running: running.map((trial) => trialLine(trial, notes)),
    failures: failures.map((trial) => trialLine(trial, notes)),
    // A wish older than the newest start was that of an earlier run.
    stopWished: typeof wish?.at === 'string' && running.length > 0 && wish.at.replace('T', ' ') > newestStart,
  };
}

function hasReports(study: Study): boolean {
  return study.history.all.some(({ intermediateValues }) => Object.keys(intermediateValues).length > 0);
}

function paramsOf(study: Study): ParamInfo[] {
  const known = new Map<string, Distribution>();
  for (const { name, distribution } of study.declaredSpace?.parameters ?? []) known.set(name, distribution);
  for (const trial of study.history.all) {
    for (const name in trial.distributions) {
      const distribution = trial.distributions[name];
      if (distribution !== undefined) known.set(name, distribution);
    }
  }
  return [...known].map(([name, distribution]) => paramInfo(name, distribution, rangeText(distribution)));
}
