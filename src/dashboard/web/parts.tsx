import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

import type { Safety, ShownState, StudySummary } from '../api-types.js';
import { RefusedError } from './api.js';
import { STATE_WORDS } from './format.js';

export function StateBadge({ state }: { readonly state: ShownState }): JSX.Element {
  return <span class={`badge state-${state.toLowerCase()}`}>{STATE_WORDS[state]}</span>;
}

const STATUS_WORDS: Readonly<Record<StudySummary['status'], string>> = {
  running: 'running',
  idle: 'idle',
  done: 'done',
  empty: 'empty',
  broken: 'cannot be read',
};

export function StatusBadge({ status }: { readonly status: StudySummary['status'] }): JSX.Element {
  return <span class={`badge status-${status}`}>{STATUS_WORDS[status]}</span>;
}

/** How safe a study is: a sign and words, never colour alone. */
export function SafetyMark({ safety }: { readonly safety: Safety }): JSX.Element {
  const sign = { safe: '✓', behind: '!', risk: '✕', off: '–' }[safety.level];
  return (
    <span class={`safety ${safety.level}`}>
      <span aria-hidden="true">{sign}</span> {safety.text}
    </span>
  );
}

export function Problem({ error }: { readonly error: Error }): JSX.Element {
  return (
    <div class="problem" role="alert">
      <b>{error.message}</b>
      {error instanceof RefusedError && error.hint !== null && <p>{error.hint}</p>}
    </div>
  );
}

export function Empty({
  title,
  children,
}: {
  readonly title: string;
  readonly children?: ComponentChildren;
}): JSX.Element {
  return (
    <div class="empty">
      <b>{title}</b>
      {children}
    </div>
  );
}

export interface StatProps {
  readonly label: string;
  readonly value: ComponentChildren;
  readonly note?: ComponentChildren;
  readonly tone?: 'good' | 'warn' | 'bad' | undefined;
  readonly href?: string;
}

/** A number that stands out. */
export function Stat({ label, value, note, tone, href }: StatProps): JSX.Element {
  const body = (
    <>
      <span class="soft">{label}</span>
      <b class={tone ?? ''}>{value}</b>
      {note !== undefined && <small class="soft">{note}</small>}
    </>
  );
  return href === undefined ? (
    <div class="stat card">{body}</div>
  ) : (
    <a class="stat card" href={href}>
      {body}
    </a>
  );
}

/** Finished of wanted, with the states in their colours. */
export function Progress({ study }: { readonly study: StudySummary }): JSX.Element | null {
  const { counts, target } = study;
  if (counts === null) return null;
  const whole = Math.max(target ?? 0, counts.total, 1);
  const failed = counts.fail - counts.interrupted;
  const parts = [
    ['complete', counts.complete],
    ['pruned', counts.pruned],
    ['fail', failed],
    ['running', counts.running],
  ] as const;
  return (
    <svg
      class="progress"
      viewBox="0 0 100 4"
      preserveAspectRatio="none"
      role="img"
      aria-label={`${counts.finished} of ${target ?? counts.total} trials finished`}
    >
      <rect class="rest" width="100" height="4" />
      {parts.map(([state, count], i) => {
        const before = parts.slice(0, i).reduce((sum, [, n]) => sum + n, 0);
        return (
          <rect
            key={state}
            class={`fill-${state}`}
            x={(before / whole) * 100}
            width={(count / whole) * 100}
            height="4"
          />
        );
      })}
    </svg>
  );
}

/** The best value so far as a small line. */
export function Spark({ values }: { readonly values: readonly (number | null)[] }): JSX.Element | null {
  const points = values.flatMap((value, i) => (value === null ? [] : [[i, value] as const]));
  if (points.length < 2) return null;
  const ys = points.map(([, y]) => y);
  const [low, high] = [Math.min(...ys), Math.max(...ys)];
  const place = ([x, y]: readonly [number, number]): string =>
    `${((x / (values.length - 1)) * 100).toFixed(1)} ${(26 - ((y - low) / (high - low || 1)) * 24).toFixed(1)}`;
  const line = points
    .map((point, i) =>
      i === 0 ? `M${place(point)}` : `H${place(point).split(' ')[0] ?? ''}V${place(point).split(' ')[1] ?? ''}`,
    )
    .join('');
  return (
    <svg class="spark" viewBox="0 0 100 28" preserveAspectRatio="none" aria-hidden="true">
      <path d={line} />
    </svg>
  );
}

/** A dialog of the browser's own: it keeps the focus, and Escape closes it. */
export function Dialog(props: {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}): JSX.Element {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    ref.current?.showModal();
  }, []);
  return (
    <dialog ref={ref} onClose={props.onClose} aria-label={props.title}>
      <div class="dialog-head">
        <h2>{props.title}</h2>
        <button type="button" class="quiet" aria-label="Close" onClick={() => ref.current?.close()}>
          ✕
        </button>
      </div>
      {props.children}
    </dialog>
  );
}

/** Letters above which a text scrolls in its place. */
const LONG = 1_500;

/** For what holds a text that somebody else wrote: a long one scrolls, also by keyboard, and keeps the page as it is. */
export function scrolling(text: string): { readonly class?: string; readonly tabIndex?: number } {
  return text.length > LONG ? { class: 'long', tabIndex: 0 } : {};
}
