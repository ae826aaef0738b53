import type { JSX } from 'preact';
import { useState } from 'preact/hooks';

import { Chart } from './chart-view.js';
import { agoText, countText, durationText, numberText, valueText } from './format.js';
import { Empty, Progress, SafetyMark, Stat, StateBadge } from './parts.js';
import type { TabProps } from './contexts.js';

/** What one wants to know first: how good, how far, how safe. */
export function OverviewTab({ study }: TabProps): JSX.Element {
  const { counts, target, best, metricNames, directions } = study;
  const [objective, setObjective] = useState(0);
  const [logValues, setLog] = useState(false);
  const several = directions.length > 1;
  const failed = (counts?.fail ?? 0) - (counts?.interrupted ?? 0);
  const shows = (kind: (typeof study.figures)[number]): boolean => study.figures.includes(kind);
  const complete = counts?.complete ?? 0;
  return (
    <>
      <div class="stats">
        {several ? (
          <Stat label="On the Pareto front" value={study.frontSize ?? 0} note={metricNames.join(', ')} />
        ) : (
          <Stat
            label={`Best ${metricNames[0] ?? 'value'}`}
            value={numberText(best?.values[0])}
            note={
              best === null ? `to ${directions[0] ?? 'minimize'}` : `trial ${best.number}, to ${directions[0] ?? ''}`
            }
            {...(best === null ? {} : { href: `#/study/${study.id}/trial/${best.number}` })}
          />
        )}
        <Stat
          label="Finished trials"
          value={
            <>
              {countText(counts?.finished ?? 0)}
              {target !== null && <span class="soft of"> of {countText(target)}</span>}
            </>
          }
          note={<Progress study={study} />}
        />
        <Stat
          label="Failed"
          value={failed}
          tone={failed > 0 ? 'warn' : undefined}
          note={
            (counts?.interrupted ?? 0) > 0
              ? `and ${counts?.interrupted ?? 0} interrupted`
              : `${countText(counts?.pruned ?? 0)} pruned`
          }
        />
        <Stat
          label="Backup"
          value={<SafetyMark safety={study.safety} />}
          note="destinations, copies, drills"
          href={`#/study/${study.id}/backup`}
        />
      </div>
      {counts?.total === 0 ? (
        <Empty title="No trial yet.">
          <p>Figures appear with the first complete trial.</p>
        </Empty>
      ) : (
        <>
          {study.running.length > 0 && <Running study={study} />}
          <div class="grid wide">
            {several && shows('paretoFront') && <Chart kind="paretoFront" />}
            {several && shows('hypervolumeHistory') && <Chart kind="hypervolumeHistory" />}
            <Chart kind="optimizationHistory" query={{ objective }} logValues={logValues}>
              <>
                {several && <ObjectiveChoice names={metricNames} value={objective} onChoose={setObjective} />}
                <label class="check">
                  <input
                    type="checkbox"
                    checked={logValues}
                    onChange={(event) => setLog(event.currentTarget.checked)}
                  />{' '}
                  log
                </label>
              </>
            </Chart>
            {shows('intermediateValues') && <Chart kind="intermediateValues" />}
          </div>
          <div class="grid wide">
            {best !== null && !several && <BestCard study={study} />}
            {complete > 1 && <Chart kind="paramImportances" />}
            <Chart kind="timeline" />
            {complete > 1 && shows('terminatorImprovement') && <Chart kind="terminatorImprovement" />}
          </div>
          {study.failures.length > 0 && <Failures study={study} />}
        </>
      )}
    </>
  );
}

export function ObjectiveChoice(props: {
  readonly names: readonly string[];
  readonly value: number;
  readonly onChoose: (index: number) => void;
}): JSX.Element {
  return (
    <select
      aria-label="Objective"
      value={String(props.value)}
      onChange={(event) => props.onChoose(Number(event.currentTarget.value))}
    >
      {props.names.map((name, i) => (
        <option key={name} value={String(i)}>
          {name}
        </option>
      ))}
    </select>
  );
}

function Running({ study }: TabProps): JSX.Element {
  return (
    <section class="card">
      <div class="card-head">
        <h3>Running now</h3>
        {study.stopWished && <span class="warn small">asked to stop: no new trial starts</span>}
      </div>
      <ul class="lines">
        {study.running.slice(0, 12).map((trial) => (
          <li key={trial.number}>
            <a href={`#/study/${study.id}/trial/${trial.number}`}>Trial {trial.number}</a>
            <span class="soft">
              since {agoText(trial.startedAt).replace(' ago', '')}
              {trial.lastStep !== null && `, step ${trial.lastStep}`}
            </span>
            <span class="soft clip">
              {Object.entries(trial.params)
                .map(([name, value]) => `${name} ${valueText(value)}`)
                .join(', ')}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function BestCard({ study }: TabProps): JSX.Element {
  const { best } = study;
  return (
    <section class="card">
      <div class="card-head">
        <h3>Best trial</h3>
        <span class="grow" />
        <a class="quiet" href={`#/study/${study.id}/trial/${best?.number ?? 0}`}>
          Trial {best?.number}
        </a>
      </div>
      <dl class="pairs">
        {study.metricNames.map((name, i) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd class="strong">{numberText(best?.values[i])}</dd>
          </div>
        ))}
        {Object.entries(best?.params ?? {}).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{valueText(value)}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function Failures({ study }: TabProps): JSX.Element {
  return (
    <section class="card">
      <div class="card-head">
        <h3>Last failures</h3>
      </div>
      <ul class="lines">
        {study.failures.map((trial) => (
          <li key={trial.number}>
            <a href={`#/study/${study.id}/trial/${trial.number}`}>Trial {trial.number}</a>
            <StateBadge state={trial.state} />
            <span class="soft">{durationText(trial.seconds)}</span>
            <span class="clip">{trial.reason ?? 'no reason kept'}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
