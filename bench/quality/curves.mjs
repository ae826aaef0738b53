// Draws docs/samplers-tables.svg and docs/samplers-functions.svg from what tables.mjs and functions.mjs recorded and from Optuna's results.
// node bench/quality/curves.mjs
import { readFileSync, writeFileSync } from 'node:fs';

import * as echarts from 'echarts';

const here = (name) => new URL(name, import.meta.url);
const read = (name) => JSON.parse(readFileSync(here(name)));
const COLORS = { auto: '#0b62a4', gp: '#c23531', tpe: '#2f8f4e', cmaes: '#7b4ea3', random: '#888888' };
const OPTUNA = { GPSampler: 'gp', TPESampler: 'tpe', RandomSampler: 'random' };

function draw(file, option, width, height) {
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width, height });
  chart.setOption({ animation: false, backgroundColor: '#ffffff', ...option });
  writeFileSync(here(`../../docs/${file}`), `${chart.renderToSVGString()}\n`);
  // Without this Node does not end.
  chart.dispose();
}

const ours = read('resweep-tables.json').samplers;
const theirs = read('optuna-tables.json').results;
draw(
  'samplers-tables.svg',
  {
    title: {
      text: 'Seven published tables: share of the table still better',
      left: 'center',
      textStyle: { fontSize: 15 },
    },
    legend: { bottom: 0 },
    grid: { left: 70, right: 20, top: 40, bottom: 80 },
    xAxis: { type: 'value', name: 'trials', nameLocation: 'middle', nameGap: 25, min: 0, max: 100 },
    yAxis: { type: 'log', min: 0.00001, max: 1, axisLabel: { formatter: (value) => value.toExponential(0) } },
    series: [
      ...Object.entries(ours).map(([name, { curve, scores }]) => ({
        name,
        type: 'line',
        showSymbol: false,
        lineStyle: { width: name === 'auto' ? 3 : 1.5 },
        color: COLORS[name],
        data:
          curve?.map((share, i) => [i + 1, share]) ?? Object.entries(scores).map(([k, share]) => [Number(k), share]),
      })),
      ...Object.entries(theirs).map(([name, { scores }]) => ({
        name: `Optuna ${name}`,
        type: 'line',
        symbolSize: 8,
        lineStyle: { type: 'dashed', width: 1 },
        color: COLORS[OPTUNA[name]],
        data: Object.entries(scores).map(([k, share]) => [Number(k), share]),
      })),
    ],
  },
  760,
  480,
);

const functions = read('resweep-functions.json').results;
const recorded = read('optuna-functions.json').results;
const problems = Object.keys(functions);
const AT = '50';
const samplers = Object.keys(COLORS).filter((name) =>
  problems.some((problem) => functions[problem][name] !== undefined),
);
const scoreOf = (problem, score) => {
  // Against our random sampler's, so that all functions fit one axis.
  const unit = functions[problem].random?.[AT];
  return score === undefined || score === null || !unit ? null : Math.max(1e-6, score / unit);
};
draw(
  'samplers-functions.svg',
  {
    title: {
      text: 'Functions: what is missing to the optimum after 50 trials, random = 1',
      left: 'center',
      textStyle: { fontSize: 15 },
    },
    legend: { bottom: 0 },
    grid: { left: 70, right: 20, top: 40, bottom: 90 },
    xAxis: { type: 'category', data: problems, axisLabel: { rotate: 30, interval: 0 } },
    yAxis: { type: 'log', min: 1e-6, axisLabel: { formatter: (value) => value.toExponential(0) } },
    series: [
      ...samplers.map((name) => ({
        name,
        type: 'scatter',
        symbolSize: name === 'auto' ? 14 : 9,
        color: COLORS[name],
        data: problems.map((problem) => scoreOf(problem, functions[problem][name]?.[AT])),
      })),
      ...['GPSampler', 'TPESampler'].map((name) => ({
        name: `Optuna ${name}`,
        type: 'scatter',
        symbol: 'diamond',
        symbolSize: 10,
        color: COLORS[OPTUNA[name]],
        itemStyle: { opacity: 0.5 },
        data: problems.map((problem) => scoreOf(problem, recorded[problem]?.[name]?.scores[AT])),
      })),
    ],
  },
  860,
  480,
);
