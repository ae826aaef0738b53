import { hostname } from 'node:os';

import type { SweepConfig } from '../../core/sweep-config.js';
import { statusPage, type StatusPageBackup } from '../../report/status-page.js';
import type { DestinationStatus } from '../../backup/index.js';
import type { Study } from '../../study/study.js';
import { trialRow } from '../views/study-report.js';
import { bestOf, countTrials } from './sweep-summary.js';

/** The page that is written beside each backup of a running sweep. */
export function sweepPage(
  study: Study,
  config: SweepConfig,
  study8: string,
  destinations: readonly DestinationStatus[],
): string {
  const counts = countTrials(study);
  const [metric] = config.metrics;
  const { best } = bestOf(study);
  const rows = study.history.all.map(trialRow);
  const text = (params: Readonly<Record<string, unknown>>): string =>
    Object.entries(params)
      .map(([name, value]) => `${name}=${typeof value === 'number' ? Number(value.toPrecision(4)) : String(value)}`)
      .join(' ');
  return statusPage({
    study: config.study,
    study8,
    at: new Date().toISOString(),
    host: hostname(),
    metric: metric?.name ?? 'value',
    goal: metric?.goal ?? 'minimize',
    finished: counts.finished,
    total: config.trials,
    counts: {
      Complete: counts.complete,
      Pruned: counts.pruned,
      Failed: counts.fail - counts.interrupted,
      Interrupted: counts.interrupted,
      Running: counts.running,
    },
    best:
      best === null
        ? undefined
        : { number: best.number, value: best.value ?? best.values?.[0] ?? NaN, params: text(best.params) },
    points: rows.flatMap(({ number, state, values }) =>
      values?.[0] === undefined ? [] : [{ number, value: values[0], pruned: state === 'PRUNED' }],
    ),
    running: rows
      .filter(({ state }) => state === 'RUNNING')
      .map(({ number, lastStep, params }) => ({ number, step: lastStep ?? undefined, params: text(params) })),
    failures: rows
      .filter(({ state }) => state === 'FAIL')
      .slice(-5)
      .map(({ number, reason }) => ({ number, reason: reason ?? 'no reason kept' })),
    backups: destinations.map(pageBackup),
  });
}

function pageBackup(destination: DestinationStatus): StatusPageBackup {
  const { name, lastVerifiedAt, verified, finishedTrials, bytes, backlog, error, verification } = destination;
  const how = { verified: 'verified', handedToMount: 'in the mount, upload unconfirmed', no: 'not at all' }[verified];
  return {
    ...{ name, lastVerifiedAt, finishedTrials, bytes, backlog },
    how: destination.sameDisk ? `${how}, same disk` : how,
    problem: error ?? verification?.problem,
  };
}
