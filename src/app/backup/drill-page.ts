import { html, htmlPage, type Markup } from '../../report/html-page.js';
import type { DrilledDestination, DrillReport } from './backup-drill.js';

const MEANING = {
  reach: 'Destination answers and has copies',
  restore: 'Newest copy restored into an empty place',
  open: 'Database whole, as its manifest says',
  compare: 'Equal to the study on this machine',
  folder: 'Checkpoints and logs restored',
  train: 'One more trial trained on the copy',
} as const;

/** The report of a drill as one self-contained page. */
export function drillPage(report: DrillReport): string {
  const verdict = report.ok
    ? html`<p class="good">Every destination brings the study back.</p>`
    : html`<p class="bad">At least one destination would not bring the study back.</p>`;
  return htmlPage(
    `Recovery drill: ${report.study}`,
    html`<h1>Recovery drill: ${report.study}</h1>
      <p class="soft">study-${report.study8}, ${when(report.at)}</p>
      ${verdict}${report.destinations.map(destination)}`,
  );
}

function destination(drilled: DrilledDestination): Markup {
  const { recoverySeconds, missingTrials, finishedTrials, savedAt } = drilled;
  return html`<h2>${drilled.destination}</h2>
    <p class="soft"><code>${drilled.location}</code></p>
    <div class="cards">
      <div class="card">Recovery time<b>${recoverySeconds === null ? 'failed' : `${recoverySeconds} s`}</b></div>
      <div class="card">Finished trials<b>${finishedTrials ?? '–'}</b></div>
      <div class="card">Not saved yet<b>${missingTrials ?? '–'}</b></div>
      <div class="card">Saved<b>${savedAt === null ? '–' : when(savedAt)}</b></div>
    </div>
    <div class="scroll">
      <table>
        <tr>
          <th>Step</th>
          <th>Result</th>
          <th>Seconds</th>
          <th>Found</th>
        </tr>
        ${drilled.steps.map(
          (step) =>
            html`<tr>
              <td>${MEANING[step.name]}</td>
              <td class="${step.ok ? 'good' : 'bad'}">${step.ok ? 'ok' : 'failed'}</td>
              <td class="n">${step.seconds.toFixed(2)}</td>
              <td>${step.detail}</td>
            </tr>`,
        )}
      </table>
    </div>`;
}

function when(iso: string): string {
  return `${iso.slice(0, 16).replace('T', ' ')} UTC`;
}
