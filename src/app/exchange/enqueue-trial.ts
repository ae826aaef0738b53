import type { Distribution, ParamValue } from '../../core/distributions.js';
import { hasTrialWith } from '../../study/enqueue.js';
import type { Study } from '../../study/study.js';
import { beginStudy } from '../sweep/begin-study.js';
import { fitToSpace, fitToTrials, type GivenParams } from './given-params.js';
import { openTarget } from '../studies/open-target.js';
import { spaceOfStudy } from '../studies/study-space.js';

export interface EnqueuedTrial {
  readonly study: string;
  /** Null where a trial with these parameters was there already. */
  readonly number: number | null;
  readonly params: Readonly<Record<string, ParamValue>>;
}

/**
 * Queues a trial with some of its parameters given, checked against the space of the study. A configuration whose study has not
 * begun begins it, so that the first trials can be chosen.
 * @throws UsageError, ConfigError
 */
export async function enqueueTrial(options: {
  readonly target: string | undefined;
  readonly studyName?: string | undefined;
  readonly given: GivenParams;
  readonly skipIfExists?: boolean;
}): Promise<EnqueuedTrial> {
  const { target, studyName, given } = options;
  await beginStudy(target, studyName);
  const opened = await openTarget(target, { studyName, readOnly: false });
  try {
    const { study } = opened;
    await study.sync();
    const space = await spaceOfStudy(study, opened.config);
    const params = space === undefined ? fitToTrials(given, knownParameters(study)) : fitToSpace(given, space);
    if (options.skipIfExists === true && hasTrialWith(study.history.all, params))
      return { study: study.studyName, number: null, params };
    await study.enqueueTrial(params);
    return { study: study.studyName, number: study.history.all.at(-1)?.number ?? 0, params };
  } finally {
    await opened.study.leave();
    await opened.close();
  }
}

/** The parameters of a study's trials, each as first seen. */
function knownParameters(study: Study): Map<string, Distribution> {
  const known = new Map<string, Distribution>();
  for (const trial of study.history.all) {
    for (const [name, distribution] of Object.entries(trial.distributions))
      if (!known.has(name)) known.set(name, distribution);
  }
  return known;
}
