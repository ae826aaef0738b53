import { createHash } from 'node:crypto';

import { describe, expect, it } from 'vitest';

import { plotOptimizationHistory } from '../../src/analysis/plots/optimization-history.js';
import { plotSlice } from '../../src/analysis/plots/slice.js';
import { thinFigure } from '../../src/analysis/plots/thin-figure.js';
import { CategoricalDistribution, FloatDistribution } from '../../src/core/distributions.js';
import { FrozenTrial } from '../../src/core/frozen-trial.js';
import { DARK } from '../../src/report/charts/chart-theme.js';
import { calmRange, shortNumber } from '../../src/report/charts/chart-parts.js';
import { contourRings } from '../../src/report/charts/contour-bands.js';
import { renderSvg } from '../../src/report/render-chart.js';
import { reportPage } from '../../src/report/report-page.js';
import { studyView } from '../support/study-view.js';

const EVIL = '</script><img src=x onerror=alert(1)>';

const study = studyView(
  Array.from(
    { length: 40 },
    (_, number) =>
      new FrozenTrial(number, number, {
        state: number % 9 === 8 ? 'FAIL' : 'COMPLETE',
        values: number % 9 === 8 ? undefined : [Math.abs(number - 20) + 1],
        internalParams: { [EVIL]: number / 40, kind: number % 2 },
        distributions: { [EVIL]: new FloatDistribution(0, 1), kind: new CategoricalDistribution(['a', EVIL]) },
      }),
  ),
  { studyName: EVIL },
);

describe('a report', () => {
  it('is one page that loads nothing, runs only its own script, and holds its data', async () => {
    const figure = await plotSlice(study);
    const svg = await renderSvg(figure);
    const content = {
      title: EVIL,
      subtitle: 's',
      cards: [{ label: 'Best', value: '1' }],
      sections: [{ title: 'Figures', figures: [{ id: 'slice', figure, svg }] }],
      highlight: [20],
      footer: 'f',
    };
    const page = reportPage(content, 'if (1 < 2) document.title = "</script>";');
    expect(page).not.toMatch(/(?:src|href)="?https?:/);
    expect(page).not.toContain(EVIL);
    const scripts = [...page.matchAll(/<script([^>]*)>([\s\S]*?)<\/script>/g)];
    expect(scripts).toHaveLength(2);
    expect(JSON.parse(scripts[0]?.[2] ?? '')).toMatchObject({ highlight: [20], figures: [{ id: 'slice' }] });
    const hash = createHash('sha256')
      .update(scripts[1]?.[2] ?? '')
      .digest('base64');
    expect(page).toContain(`script-src 'sha256-${hash}'`.replaceAll("'", '&#39;'));
  });

  it('draws figures without a browser, text escaped', async () => {
    const svg = await renderSvg(await plotSlice(study), { theme: DARK, width: 600 });
    expect(svg).toMatch(/^<svg /);
    expect(svg).not.toContain('<img');
    expect((await renderSvg(await plotOptimizationHistory(studyView([])))).includes('No trial is complete yet')).toBe(
      true,
    );
  });

  it('draws fewer trials of a long study, and every improvement', async () => {
    const figure = await plotOptimizationHistory(study);
    const thin = thinFigure(figure, 8, new Set([3]));
    expect(thin.of).toBe(40);
    expect(thin.shown).toBeLessThanOrEqual(10);
    if (thin.figure.kind !== 'optimizationHistory') throw new Error('another kind');
    const [series] = thin.figure.series;
    expect(series?.trialNumbers).toContain(3);
    expect(series?.best?.at(-1)).toBe(1);
    expect(new Set(series?.best).size).toBe(new Set(figure.series[0]?.best).size);
  });
});

describe('charts', () => {
  it('close every ring of a contour around what is high', () => {
    const z = [
      [0, 0, 0, 0],
      [0, 2, 2, 0],
      [0, 2, 0, 0],
      [0, 0, 0, 3],
    ];
    const rings = contourRings(z, 1);
    expect(rings).toHaveLength(2);
    const area = (ring: (typeof rings)[number]): number =>
      ring.reduce((sum, [x, y], i) => {
        const [nextX, nextY] = ring[(i + 1) % ring.length] ?? [0, 0];
        return sum + (x * nextY - nextX * y) / 2;
      }, 0);
    for (const ring of rings) expect(Math.abs(area(ring))).toBeGreaterThan(0.1);
    // A hole turns the other way.
    const holed = contourRings(
      [
        [2, 2, 2],
        [2, 0, 2],
        [2, 2, 2],
      ],
      1,
    );
    expect(holed.map((ring) => Math.sign(area(ring))).sort()).toEqual([-1, 1]);
  });

  it('cut an axis only where a few values would flatten it', () => {
    const values = Array.from({ length: 50 }, (_, i) => i / 50);
    expect(calmRange(values)).toEqual({});
    expect(calmRange([...values, 1e6]).max).toBeLessThan(3);
    expect(calmRange([...values, 1e6], [1e6])).toEqual({});
  });

  it('show numbers shortly', () => {
    expect([0, 0.1234567, 123456, 1.5e-7, 2e9, NaN].map(shortNumber)).toEqual([
      '0',
      '0.1235',
      '123500',
      '1.5e-7',
      '2e9',
      'NaN',
    ]);
  });
});
