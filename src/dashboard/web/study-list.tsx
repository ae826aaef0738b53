import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';

import type { StudySummary } from '../api-types.js';
import { api } from './api.js';
import { agoText, countText, counted, numberText } from './format.js';
import { useLoaded, useTicks } from './hooks.js';
import { Empty, Problem, Progress, SafetyMark, Spark, StatusBadge } from './parts.js';

/** All studies, those that run and those changed last on top. */
export function StudyList(): JSX.Element {
  const tick = useTicks(3_000);
  const { value, error } = useLoaded((signal) => api.studies(signal), ['studies', tick]);
  const [words, setWords] = useState('');
  useEffect(() => {
    document.title = 'resweep';
  }, []);
  if (value === undefined) return error === undefined ? <div class="placeholder tall" /> : <Problem error={error} />;
  const shown = value
    .filter((study) =>
      `${study.name} ${study.place} ${study.backbone ?? ''}`.toLowerCase().includes(words.toLowerCase()),
    )
    .sort((a, b) => rank(b) - rank(a) || newestFirst(a.changedAt ?? '', b.changedAt ?? ''));
  const running = value.filter(({ status }) => status === 'running').length;
  return (
    <>
      <div class="page-head">
        <h1>Studies</h1>
        <span class="soft">
          {counted(value.length, 'study').replace('studys', 'studies')}
          {running > 0 && `, ${running} running`}
        </span>
        <span class="grow" />
        {value.length > 4 && (
          <input
            type="search"
            placeholder="Filter by name"
            aria-label="Filter studies by name"
            value={words}
            onInput={(event) => setWords(event.currentTarget.value)}
          />
        )}
      </div>
      {value.length === 0 ? (
        <Empty title="No study here yet.">
          <p>
            <code>resweep run configs/quickstart.yaml</code> starts one; it appears here by itself.
          </p>
        </Empty>
      ) : (
        <ul class="studies">
          {shown.map((study) => (
            <StudyCard key={study.id} study={study} />
          ))}
        </ul>
      )}
    </>
  );
}

function rank({ status }: StudySummary): number {
  return status === 'running' ? 2 : status === 'broken' ? 1 : 0;
}

function StudyCard({ study }: { readonly study: StudySummary }): JSX.Element {
  const { counts, target, best, metricNames, frontSize } = study;
  return (
    <li>
      <a class="card study" href={`#/study/${study.id}/overview`}>
        <div class="study-name">
          <b>{study.name}</b>
          <StatusBadge status={study.status} />
        </div>
        <div class="soft small clip">
          {[study.backbone, study.environment, study.study8, agoText(study.changedAt)].filter(Boolean).join(' · ')}
        </div>
        {study.error !== null ? (
          <p class="bad small">{study.error}</p>
        ) : (
          <>
            <div class="study-numbers">
              <div>
                <span class="soft small">
                  {frontSize === null ? `best ${metricNames[0] ?? 'value'}` : 'on the front'}
                </span>
                <b class="big">{frontSize ?? numberText(best?.values[0])}</b>
              </div>
              <Spark values={study.spark} />
            </div>
            <Progress study={study} />
            <div class="study-foot small">
              <span>
                {countText(counts?.finished ?? 0)}
                {target === null ? '' : ` of ${countText(target)}`} finished
              </span>
              <SafetyMark safety={study.safety} />
            </div>
          </>
        )}
      </a>
    </li>
  );
}

function newestFirst(a: string, b: string): number {
  return a === b ? 0 : a < b ? 1 : -1;
}
