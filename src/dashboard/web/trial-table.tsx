import type { JSX } from 'preact';
import { useContext, useEffect, useMemo, useRef, useState } from 'preact/hooks';

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

interface Choice {
  readonly sort: { readonly key: string; readonly descending: boolean };
  readonly states: readonly ShownState[];
  readonly words: string;
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
  const [choice, setChoice] = useState<Choice>({ sort: { key: 'number', descending: true }, states: [], words: '' });
  const { sort, states, words } = choice;
  const filters = {
    sort: sort.key,
    order: sort.descending ? 'desc' : 'asc',
    states: states.join(),
    words,
    axes: JSON.stringify(axes),
  };
  const chosen = JSON.stringify(filters);
  // A page is one of what was chosen then: another choice begins with its first.
  const [turned, setTurned] = useState({ page: 0, of: chosen });
  const page = turned.of === chosen ? turned.page : 0;
  const query = new URLSearchParams({ ...filters, offset: String(page * PAGE), limit: String(PAGE) });
  const { value, error, loading } = useLoaded(
    (signal) => api.trials(id, query, signal),
    [id, query.toString(), revision],
  );
  const search = useFocusKey();
  const total = value?.total ?? 0;
  const pages = Math.max(1, Math.ceil(total / PAGE));
  const turn = (by: number): void => setTurned({ page: page + by, of: chosen });
  const toggle = (state: ShownState): void =>
    setChoice((before) => ({
      ...before,
      states: before.states.includes(state) ? before.states.filter((one) => one !== state) : [...before.states, state],
    }));
  const by = (key: string): void =>
    setChoice((before) => ({
      ...before,
      sort: { key, descending: before.sort.key === key ? !before.sort.descending : key === 'number' },
    }));
  const { metricNames, params } = study;
  const columns = useMemo(() => columnsOf(study), [id, JSON.stringify([metricNames, params])]);
  const best = study.frontSize === null ? study.best?.number : undefined;
  const rows = useMemo(
    () => <Rows id={id} rows={value?.rows ?? []} columns={columns} best={best} />,
    [value?.rows, columns, best],
  );
  return (
    <section class="card table-card" aria-busy={loading}>
      <div class="toolbar">
        <input
          ref={search}
          type="search"
          placeholder="Filter: lr=0.01, #tag, words   (/)"
          aria-label="Filter trials"
          value={words}
          onInput={({ currentTarget }) => setChoice((before) => ({ ...before, words: currentTarget.value }))}
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
          {rows}
        </table>
        {value?.rows.length === 0 && <p class="soft pad">No trial passes these filters.</p>}
      </div>
      {pages > 1 && (
        <div class="pager">
          <button type="button" disabled={page === 0} onClick={() => turn(-1)}>
            Previous
          </button>
          <span class="small">
            Page {page + 1} of {pages}
          </span>
          <button type="button" disabled={page + 1 >= pages} onClick={() => turn(1)}>
            Next
          </button>
        </div>
      )}
    </section>
  );
}

/** The input that `/` leads to. */
function useFocusKey(): { current: HTMLInputElement | null } {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const focus = (event: KeyboardEvent): void => {
      if (event.key !== '/' || event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement)
        return;
      event.preventDefault();
      input.current?.focus();
    };
    addEventListener('keydown', focus);
    return () => removeEventListener('keydown', focus);
  }, []);
  return input;
}

/** One page of rows. Each keeps its place: only what differs from the page before is written anew. */
function Rows(props: {
  readonly id: string;
  readonly rows: readonly TrialLine[];
  readonly columns: readonly Column[];
  readonly best: number | undefined;
}): JSX.Element {
  const { id, rows, columns, best } = props;
  return (
    <tbody
      onClick={({ target }) => {
        // The whole row leads there; the link in it is for the keyboard.
        const row = target instanceof HTMLAnchorElement ? null : (target as Element).closest('tr');
        if (row !== null) location.hash = `/study/${id}/trial/${row.dataset['number'] ?? ''}`;
      }}
    >
      {rows.map((trial, i) => (
        <tr key={i} data-number={trial.number} class={trial.number === best ? 'best-row' : ''}>
          {columns.map((column) => (
            <td key={column.key} class={column.numeric ? 'n' : ''}>
              {column.cell(trial)}
            </td>
          ))}
        </tr>
      ))}
    </tbody>
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
