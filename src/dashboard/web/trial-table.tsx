import type { JSX } from 'preact';
import { useContext, useEffect, useRef, useState } from 'preact/hooks';

import type { AxisFilter, ShownState, StudyDetail, TrialLine } from '../api-types.js';
import { api } from './api.js';
import { StudyContext } from './contexts.js';
import { counted, durationText, numberText, STATE_WORDS, valueText } from './format.js';
import { useLoaded } from './hooks.js';
import { Problem, StateBadge } from './parts.js';

const PAGE = 50;
const STATES: readonly ShownState[] = ['COMPLETE', 'PRUNED', 'FAIL', 'INTERRUPTED', 'RUNNING', 'WAITING'];

interface Column {
  readonly key: string;
  readonly title: string;
  readonly numeric: boolean;
  readonly cell: (trial: TrialLine) => JSX.Element | string;
}

/** The trials, sorted and filtered by the server, a page at a time. */
export function TrialTable({
  study,
  axes,
}: {
  readonly study: StudyDetail;
  readonly axes: readonly AxisFilter[];
}): JSX.Element {
  const { id, revision } = useContext(StudyContext);
  const [sort, setSort] = useState<{ key: string; descending: boolean }>({ key: 'number', descending: true });
  const [states, setStates] = useState<readonly ShownState[]>([]);
  const [words, setWords] = useState('');
  const [page, setPage] = useState(0);
  const search = useRef<HTMLInputElement>(null);
  const query = new URLSearchParams({
    sort: sort.key,
    order: sort.descending ? 'desc' : 'asc',
    states: states.join(),
    words,
    axes: JSON.stringify(axes),
    offset: String(page * PAGE),
    limit: String(PAGE),
  });
  const { value, error, loading } = useLoaded(
    (signal) => api.trials(id, query, signal),
    [id, query.toString(), revision],
  );
  useEffect(() => setPage(0), [JSON.stringify(axes), words, states.join(), sort]);
  useEffect(() => {
    const focus = (event: KeyboardEvent): void => {
      if (event.key !== '/' || event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement)
        return;
      event.preventDefault();
      search.current?.focus();
    };
    addEventListener('keydown', focus);
    return () => removeEventListener('keydown', focus);
  }, []);
  const columns = columnsOf(study);
  const total = value?.total ?? 0;
  const pages = Math.max(1, Math.ceil(total / PAGE));
  const toggle = (state: ShownState): void =>
    setStates((before) => (before.includes(state) ? before.filter((one) => one !== state) : [...before, state]));
  const by = (key: string): void =>
    setSort((before) => ({ key, descending: before.key === key ? !before.descending : key === 'number' }));
  return (
    <section class="card table-card" aria-busy={loading}>
      <div class="toolbar">
        <input
          ref={search}
          type="search"
          placeholder="Filter: lr=0.01, #tag, words   (/)"
          aria-label="Filter trials"
          value={words}
          onInput={(event) => setWords(event.currentTarget.value)}
        />
        <div class="toggles" role="group" aria-label="States">
          {STATES.filter((state) => has(study, state)).map((state) => (
            <button key={state} type="button" aria-pressed={states.includes(state)} onClick={() => toggle(state)}>
              {STATE_WORDS[state]}
            </button>
          ))}
        </div>
        <span class="grow" />
        <span class="soft small" role="status">
          {counted(total, 'trial')}
        </span>
      </div>
      {error !== undefined && value === undefined && <Problem error={error} />}
      <div class="scroll" tabIndex={0} role="region" aria-label="Trials">
        <table>
          <thead>
            <tr>
              {columns.map((column) => (
                <th
                  key={column.key}
                  scope="col"
                  class={column.numeric ? 'n' : ''}
                  aria-sort={sort.key === column.key ? (sort.descending ? 'descending' : 'ascending') : 'none'}
                >
                  <button type="button" onClick={() => by(column.key)}>
                    {column.title}
                    <span class="arrow" aria-hidden="true">
                      {sort.key === column.key ? (sort.descending ? '↓' : '↑') : ''}
                    </span>
                  </button>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {value?.rows.map((trial) => (
              <tr
                key={trial.number}
                class={trial.number === study.best?.number && study.frontSize === null ? 'best-row' : ''}
                onClick={(event) => {
                  // The whole row leads there; the link in it is for the keyboard.
                  if (!(event.target instanceof HTMLAnchorElement))
                    location.hash = `/study/${id}/trial/${trial.number}`;
                }}
              >
                {columns.map((column) => (
                  <td key={column.key} class={column.numeric ? 'n' : ''}>
                    {column.cell(trial)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
        {value?.rows.length === 0 && <p class="soft pad">No trial passes these filters.</p>}
      </div>
      {pages > 1 && (
        <div class="pager">
          <button type="button" disabled={page === 0} onClick={() => setPage(page - 1)}>
            Previous
          </button>
          <span class="small">
            Page {page + 1} of {pages}
          </span>
          <button type="button" disabled={page + 1 >= pages} onClick={() => setPage(page + 1)}>
            Next
          </button>
        </div>
      )}
    </section>
  );
}

function has({ counts }: StudyDetail, state: ShownState): boolean {
  if (counts === null) return false;
  if (state === 'FAIL') return counts.fail > counts.interrupted;
  const key = {
    COMPLETE: 'complete',
    PRUNED: 'pruned',
    RUNNING: 'running',
    WAITING: 'waiting',
    INTERRUPTED: 'interrupted',
  }[state] as 'complete';
  return counts[key] > 0;
}

function columnsOf(study: StudyDetail): Column[] {
  return [
    {
      key: 'number',
      title: 'Trial',
      numeric: true,
      cell: (trial) => <a href={`#/study/${study.id}/trial/${trial.number}`}>{trial.number}</a>,
    },
    { key: 'state', title: 'State', numeric: false, cell: (trial) => <StateBadge state={trial.state} /> },
    ...study.metricNames.map((name, i) => ({
      key: `value:${i}`,
      title: name,
      numeric: true,
      cell: (trial: TrialLine) => (
        <span class={trial.feasible ? '' : 'soft'} title={trial.feasible ? undefined : 'violates a constraint'}>
          {trial.values === null ? '–' : numberText(trial.values[i])}
          {trial.feasible ? '' : ' ✕'}
        </span>
      ),
    })),
    { key: 'seconds', title: 'Time', numeric: true, cell: (trial) => durationText(trial.seconds) },
    ...study.params.map(({ name, kind }) => ({
      key: `param:${name}`,
      title: name,
      numeric: kind !== 'categorical',
      cell: (trial: TrialLine) => valueText(trial.params[name]),
    })),
    {
      key: 'notes',
      title: 'Notes',
      numeric: false,
      cell: (trial) => (
        <>
          {trial.tags.map((tag) => (
            <span key={tag} class="chip small">
              {tag}
            </span>
          ))}
          {trial.noted && trial.tags.length === 0 ? 'note' : ''}
        </>
      ),
    },
  ];
}
