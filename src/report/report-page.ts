import { createHash } from 'node:crypto';

import type { Figure } from '../analysis/plots/figure.js';
import { chartTitle } from './charts/chart.js';
import { html, Markup } from './html-page.js';
import { REPORT_STYLE } from './report-style.js';

export type Tone = 'good' | 'bad' | 'warn' | 'plain';

/** A number that stands out at the top. */
export interface ReportCard {
  readonly label: string;
  readonly value: string;
  readonly note?: string | undefined;
  readonly tone?: Tone | undefined;
}

/** Rows under headings; cells may have a tone of their own. */
export interface ReportTable {
  readonly columns: readonly string[];
  /** Columns of numbers, aligned to the right. */
  readonly numeric?: readonly number[] | undefined;
  readonly rows: readonly (readonly (string | { readonly text: string; readonly tone: Tone })[])[];
}

export interface ReportFigure {
  readonly id: string;
  readonly figure: Figure;
  /** What it is about, after its title. */
  readonly about?: string | undefined;
  /** What is left out, or how to read it. */
  readonly note?: string | undefined;
  /** Drawn beforehand. */
  readonly svg: string;
}

/** Everything that a report shows. */
export interface ReportContent {
  readonly title: string;
  readonly subtitle: string;
  readonly cards: readonly ReportCard[];
  readonly sections: readonly ReportSection[];
  /** Numbers of trials to bring out in the figures. */
  readonly highlight: readonly number[];
  readonly footer: string;
}

export interface ReportSection {
  readonly title: string;
  readonly text?: string | undefined;
  readonly table?: ReportTable | undefined;
  readonly figures?: readonly ReportFigure[] | undefined;
}

/**
 * The report as one file that needs nothing else: pictures drawn beforehand for a reader without scripts, and the same figures to point
 * at where scripts run. Nothing can be loaded, and only this one script runs (Content-Security-Policy by its hash).
 * @param script text of the bundled report client
 */
export function reportPage(content: ReportContent, script: string): string {
  const figures = content.sections.flatMap((section) => section.figures ?? []);
  const data = JSON.stringify({
    figures: figures.map(({ id, figure }) => ({ id, figure })),
    highlight: content.highlight,
  });
  // Neither may end its element early.
  const code = script.replaceAll(/<\/(?=script)/gi, '<\\/').replaceAll('<!--', '\\x3c!--');
  const island = data.replaceAll('<', '\\u003c').replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
  const hash = createHash('sha256').update(code).digest('base64');
  const policy = `default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`;
  // Whole elements, so that no line break of a template gets into what the hash is of.
  const scripts = new Markup(
    `<script type="application/json" id="report-data">${island}</script><script>${code}</script>`,
  );
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="Content-Security-Policy" content="${policy}" />
        <title>${content.title}</title>
        <style>
          ${new Markup(REPORT_STYLE)}
        </style>
      </head>
      <body>
        <main>
          <header>
            <h1>${content.title}</h1>
            <p class="soft">${content.subtitle}</p>
          </header>
          <div class="cards">${content.cards.map(card)}</div>
          ${content.sections.map(section)}
          <footer class="soft">${content.footer}</footer>
        </main>
        ${scripts}
      </body>
    </html>`.text;
}

function card({ label, value, note, tone = 'plain' }: ReportCard): Markup {
  return html`<div class="card">
    <span>${label}</span>
    <b class="${tone}">${value}</b>
    ${note === undefined ? '' : html`<small>${note}</small>`}
  </div>`;
}

function section({ title, text, table, figures }: ReportSection): Markup {
  return html`<section>
    <h2>${title}</h2>
    ${text === undefined ? '' : html`<p class="soft">${text}</p>`} ${table === undefined ? '' : tableOf(table)}
    ${(figures ?? []).map(figureOf)}
  </section>`;
}

function tableOf({ columns, rows, numeric = [] }: ReportTable): Markup {
  const cell = (value: ReportTable['rows'][number][number], i: number): Markup => {
    const { text, tone } = typeof value === 'string' ? { text: value, tone: 'plain' } : value;
    return html`<td class="${numeric.includes(i) ? 'n ' : ''}${tone}">${text}</td>`;
  };
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Table: ${columns.join(', ')}">
    <table>
      <thead>
        <tr>
          ${columns.map((name, i) => html`<th scope="col" class="${numeric.includes(i) ? 'n' : ''}">${name}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) =>
            html`<tr>
              ${row.map(cell)}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

function figureOf({ id, figure, about, note, svg }: ReportFigure): Markup {
  const title = about === undefined ? chartTitle(figure.kind) : `${chartTitle(figure.kind)}: ${about}`;
  return html`<figure>
    <figcaption>
      <h3>${title}</h3>
      ${note === undefined ? '' : html`<span class="soft">${note}</span>`}
    </figcaption>
    <div class="chart" id="${id}" role="img" aria-label="${title}">${new Markup(svg)}</div>
  </figure>`;
}
