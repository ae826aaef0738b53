import { html, htmlPage, type Markup } from './html-page.js';

/** What the page beside a backup shows. */
export interface StatusPageData {
  readonly study: string;
  readonly study8: string;
  /** ISO 8601; the page says how old it is. */
  readonly at: string;
  readonly host: string;
  readonly metric: string;
  readonly goal: 'minimize' | 'maximize';
  readonly finished: number;
  readonly total: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly best: { readonly number: number; readonly value: number; readonly params: string } | undefined;
  /** Values of completed and pruned trials, by number. */
  readonly points: readonly { readonly number: number; readonly value: number; readonly pruned: boolean }[];
  readonly running: readonly { readonly number: number; readonly step: number | undefined; readonly params: string }[];
  readonly failures: readonly { readonly number: number; readonly reason: string }[];
  readonly backups: readonly StatusPageBackup[];
}

/** One destination as it stands. */
export interface StatusPageBackup {
  readonly name: string;
  readonly lastVerifiedAt: string | undefined;
  readonly how: string;
  readonly finishedTrials: number | undefined;
  readonly bytes: number;
  readonly backlog: number;
  readonly problem: string | undefined;
}

/** A sweep on one page in one file, to be looked at where the backup lies: on a phone, when the machine is gone. */
export function statusPage(data: StatusPageData): string {
  const { finished, total, best } = data;
  const share = Math.min(100, Math.round((finished / Math.max(1, total)) * 100));
  const bad = data.backups.filter(({ problem }) => problem !== undefined);
  return htmlPage(
    `${data.study}: ${finished} of ${total} trials`,
    html`<h1>${data.study}</h1>
      <p class="soft">study-${data.study8} on ${data.host}, as of ${when(data.at)}</p>
      ${bad.map(({ name, problem }) => html`<p class="bad">${name}: ${problem}</p>`)}
      <div class="cards">
        <div class="card">Finished<b>${finished} of ${total}</b></div>
        ${best === undefined ? '' : html`<div class="card">Best ${data.metric}<b>${number(best.value)}</b></div>`}
        ${Object.entries(data.counts).map(([state, count]) => html`<div class="card">${state}<b>${count}</b></div>`)}
      </div>
      <svg viewBox="0 0 100 1.5" role="img" aria-label="${share} % finished">
        <rect width="100" height="1.5" rx=".7" fill="var(--line)"></rect>
        <rect width="${share}" height="1.5" rx=".7" fill="var(--good)"></rect>
      </svg>
      ${
        best === undefined
          ? ''
          : html`<h2>Best: trial ${best.number}</h2>
              <p><code>${best.params}</code></p>`
      }
      ${history(data)}
      <h2>Backups</h2>
      ${table(
        ['Destination', 'Trials safe', 'Saved', 'How sure', 'Size', 'Behind'],
        data.backups.map((backup) => [
          backup.name,
          backup.finishedTrials ?? '–',
          backup.lastVerifiedAt === undefined ? 'never' : when(backup.lastVerifiedAt),
          backup.how,
          size(backup.bytes),
          backup.backlog,
        ]),
      )}
      ${
        data.running.length === 0
          ? ''
          : html`<h2>Running</h2>
              ${table(
                ['Trial', 'Step', 'Parameters'],
                data.running.map(({ number: trial, step, params }) => [
                  trial,
                  step ?? '–',
                  html`<code>${params}</code>`,
                ]),
              )}`
      }
      ${
        data.failures.length === 0
          ? ''
          : html`<h2>Last failures</h2>
              ${table(
                ['Trial', 'Reason'],
                data.failures.map(({ number: trial, reason }) => [trial, reason]),
              )}`
      }`,
  );
}

function table(headings: readonly string[], rows: readonly (readonly (Markup | string | number)[])[]): Markup {
  return html`<div class="scroll">
    <table>
      <tr>
        ${headings.map((heading) => html`<th>${heading}</th>`)}
      </tr>
      ${rows.map(
        (cells) =>
          html`<tr>
            ${cells.map((cell) => html`<td>${cell}</td>`)}
          </tr>`,
      )}
    </table>
  </div>`;
}

/** Values by trial, with the best so far as a line. Of many trials every n-th is drawn, and each that was the best. */
function history({ points, goal, metric }: StatusPageData): Markup {
  const finite = points.filter(({ value }) => Number.isFinite(value));
  const completed = finite.filter(({ pruned }) => !pruned);
  if (completed.length < 2) return html``;
  // Outliers would press all else into a line.
  const sorted = completed.map(({ value }) => value).sort((a, b) => a - b);
  const [low, high] = [sorted[0] ?? 0, sorted.at(-1) ?? 1];
  const last = Math.max(...finite.map(({ number: trial }) => trial));
  const x = (trial: number): string => (20 + (trial / Math.max(1, last)) * 570).toFixed(1);
  const y = (value: number): string => {
    const place = high === low ? 0.5 : (Math.min(high, Math.max(low, value)) - low) / (high - low);
    return (190 - place * 175).toFixed(1);
  };
  let best: number | undefined;
  const line: string[] = [];
  const marks: Markup[] = [];
  const every = Math.max(1, Math.ceil(finite.length / 400));
  finite.forEach(({ number: trial, value, pruned }, index) => {
    const isBest = !pruned && (best === undefined || (goal === 'maximize' ? value > best : value < best));
    if (isBest) {
      line.push(best === undefined ? `M${x(trial)} ${y(value)}` : `H${x(trial)} V${y(value)}`);
      best = value;
    }
    if (!isBest && index % every !== 0) return;
    marks.push(
      html`<circle cx="${x(trial)}" cy="${y(value)}" r="3" fill="${pruned ? 'var(--line)' : 'var(--mark)'}"></circle>`,
    );
  });
  line.push(`H${x(last)}`);
  return html`<h2>${metric} by trial</h2>
    <div class="scroll">
      <svg viewBox="0 0 600 205" role="img" aria-label="${metric} by trial, from ${number(low)} to ${number(high)}">
        ${marks}
        <path d="${line.join(' ')}" fill="none" stroke="var(--good)" stroke-width="2"></path>
        <text x="4" y="12" font-size="11" fill="var(--soft)">${number(high)}</text>
        <text x="4" y="203" font-size="11" fill="var(--soft)">${number(low)}</text>
      </svg>
    </div>`;
}

function number(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(5)));
}

function size(bytes: number): string {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

function when(iso: string): string {
  return `${iso.slice(0, 16).replace('T', ' ')} UTC`;
}
