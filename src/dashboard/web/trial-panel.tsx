import type { JSX } from 'preact';
import { useContext, useEffect, useRef, useState } from 'preact/hooks';

import type { StageResult, StudyDetail, TrialDetail } from '../api-types.js';
import { EnqueueDialog } from './actions.js';
import { api } from './api.js';
import { StudyContext } from './contexts.js';
import { CurveChart } from './curve-chart.js';
import { agoText, bytesText, durationText, numberText, timeText, valueText } from './format.js';
import { useLoaded } from './hooks.js';
import { NoteEditor } from './note-editor.js';
import { Problem, scrolling, StateBadge } from './parts.js';
import { StageView } from './stage-views.js';

/** One trial: what it tried, how it went, what it left behind. */
export function TrialPanel({ study, number }: { readonly study: StudyDetail; readonly number: number }): JSX.Element {
  const { id, revision } = useContext(StudyContext);
  const { value, error } = useLoaded((signal) => api.trial(id, number, signal), [`${id}/${number}`, revision]);
  const [enqueuing, setEnqueuing] = useState(false);
  const last = (study.counts?.total ?? 1) - 1;
  useEffect(() => {
    const step = (event: KeyboardEvent): void => {
      if (
        event.target instanceof HTMLInputElement ||
        event.target instanceof HTMLTextAreaElement ||
        event.metaKey ||
        event.ctrlKey
      )
        return;
      const next = event.key === 'ArrowLeft' ? number - 1 : event.key === 'ArrowRight' ? number + 1 : NaN;
      if (next >= 0 && next <= last) location.hash = `/study/${id}/trial/${next}`;
    };
    addEventListener('keydown', step);
    return () => removeEventListener('keydown', step);
  }, [number, last, id]);
  if (value === undefined) return error === undefined ? <div class="placeholder tall" /> : <Problem error={error} />;
  const models = value.files.filter(({ name }) => name.startsWith('model/'));
  const checkpoints = value.files.filter(({ name }) => name.startsWith('checkpoint/'));
  const others = value.files.filter((file) => !models.includes(file) && !checkpoints.includes(file));
  return (
    <>
      <div class="toolbar">
        <StateBadge state={value.state} />
        <span class="soft">
          {timeText(value.startedAt)}
          {value.seconds !== null && `, ${durationText(value.seconds)}`}
        </span>
        <span class="grow" />
        <button type="button" onClick={() => setEnqueuing(true)}>
          Enqueue like this
        </button>
        {number > 0 ? (
          <a class="button" href={`#/study/${id}/trial/${number - 1}`}>
            Previous
          </a>
        ) : null}
        {number < last ? (
          <a class="button" href={`#/study/${id}/trial/${number + 1}`}>
            Next
          </a>
        ) : null}
      </div>
      {enqueuing && <EnqueueDialog study={study} params={value.params} onClose={() => setEnqueuing(false)} />}
      {value.reason !== null && (
        <div class="problem" role="note">
          <b>{value.reason}</b>
          {value.failureLines.length > 0 && <pre>{value.failureLines.join('\n')}</pre>}
        </div>
      )}
      <div class="grid">
        <Facts study={study} trial={value} />
        <NoteEditor key={`${id}/${number}`} id={id} trial={number} note={value.note} tags />
      </div>
      {value.curve.length > 0 && <CurveChart trial={value} />}
      {value.hasLog && <LogTail id={id} number={number} live={value.state === 'RUNNING'} />}
      <div class="grid">
        <Files title="Model" files={models} />
        <Files title="Checkpoints" files={checkpoints} />
        <Files title="Files" files={others} folder={value.folder} />
      </div>
      {value.benchmark !== null && (
        <section>
          <h2>Benchmark</h2>
          <StageView
            study={study}
            stage="benchmark"
            results={[
              {
                stage: 'benchmark',
                place: `${value.folder ?? ''}/benchmark.json`,
                content: value.benchmark as StageResult['content'],
              },
            ]}
          />
        </section>
      )}
    </>
  );
}

function Facts({ study, trial }: { readonly study: StudyDetail; readonly trial: TrialDetail }): JSX.Element {
  const chain = (numbers: readonly number[]): JSX.Element[] =>
    numbers.map((number) => (
      <a key={number} href={`#/study/${study.id}/trial/${number}`}>
        {number}{' '}
      </a>
    ));
  return (
    <section class="card">
      <dl class="pairs">
        {study.metricNames.map((name, i) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd class="strong">{trial.values === null ? '–' : numberText(trial.values[i])}</dd>
          </div>
        ))}
        {Object.entries(trial.params).map(([name, value]) => (
          <div key={name} title={trial.ranges[name]}>
            <dt>{name}</dt>
            <dd>{valueText(value)}</dd>
          </div>
        ))}
        {Object.entries(trial.constraints ?? {}).map(([name, value]) => (
          <div key={name}>
            <dt>constraint {name}</dt>
            <dd class={Number(value) > 0 ? 'bad' : ''}>{numberText(value)}</dd>
          </div>
        ))}
        {trial.retryOf.length > 0 && (
          <div>
            <dt>retry of</dt>
            <dd>{chain(trial.retryOf)}</dd>
          </div>
        )}
        {trial.retriedBy.length > 0 && (
          <div>
            <dt>tried again as</dt>
            <dd>{chain(trial.retriedBy)}</dd>
          </div>
        )}
        {Object.entries(trial.userAttrs)
          .filter(([name]) => !study.metricNames.includes(name))
          .map(([name, value]) => (
            <div key={name}>
              <dt class="soft">{name}</dt>
              <dd {...scrolling(value)}>{value}</dd>
            </div>
          ))}
      </dl>
    </section>
  );
}

function Files(props: {
  readonly title: string;
  readonly files: TrialDetail['files'];
  readonly folder?: string | null;
}): JSX.Element | null {
  if (props.files.length === 0) return null;
  return (
    <section class="card">
      <div class="card-head">
        <h3>{props.title}</h3>
      </div>
      <ul class="lines">
        {props.files.map(({ name, bytes, changedAt }) => (
          <li key={name}>
            <code class="clip" title={name}>
              {name.replace(/^(?:model|checkpoint)\//, '')}
            </code>
            <span class="grow" />
            <span class="soft nowrap">{bytesText(bytes)}</span>
            <time class="soft nowrap" dateTime={changedAt} title={timeText(changedAt)}>
              {agoText(changedAt)}
            </time>
          </li>
        ))}
      </ul>
      {props.folder !== null && props.folder !== undefined && <p class="soft small">in {props.folder}</p>}
    </section>
  );
}

/** The end of the log, growing while the trial runs. */
function LogTail({
  id,
  number,
  live,
}: {
  readonly id: string;
  readonly number: number;
  readonly live: boolean;
}): JSX.Element {
  const [text, setText] = useState('');
  const place = useRef<HTMLPreElement>(null);
  useEffect(() => {
    const controller = new AbortController();
    let next: number | undefined;
    let timer: number | undefined;
    const look = async (): Promise<void> => {
      try {
        const piece = await api.log(id, number, next, controller.signal);
        if (piece.text !== '') {
          // A log that began anew starts over; only the last part is kept here.
          setText((before) =>
            next === undefined || piece.size < next ? piece.text : (before + piece.text).slice(-200_000),
          );
        }
        next = piece.next;
      } catch {
        // The next look will tell.
      }
      if (live && !controller.signal.aborted) timer = window.setTimeout(() => void look(), 1_500);
    };
    void look();
    return () => {
      controller.abort();
      clearTimeout(timer);
    };
  }, [id, number, live]);
  useEffect(() => {
    place.current?.scrollTo(0, place.current.scrollHeight);
  }, [text]);
  return (
    <section class="card">
      <div class="card-head">
        <h3>Log</h3>
        {live && <span class="badge state-running">live</span>}
      </div>
      <pre class="log" ref={place} tabIndex={0} role="log" aria-label={`Log of trial ${number}`}>
        {text === '' ? 'Nothing written yet.' : text}
      </pre>
    </section>
  );
}
