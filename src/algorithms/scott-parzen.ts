import type { Distribution } from '../core/distributions.js';
import { logNormalMass } from './normal-distribution.js';

/** Cells of the grid on which a continuous parameter is looked at. */
const CELLS = 50;
/** Weight of the component that spreads over the whole range. */
const PRIOR_WEIGHT = 1;
const LEAST_SIGMA = 0.5 / 1.64;

/** How many values (in the database's terms) fall into each cell of a parameter's grid; logarithmic where the parameter is. */
export function gridCounts(distribution: Distribution, values: readonly number[]): Float64Array {
  if (distribution.kind === 'categorical') {
    const counts = new Float64Array(distribution.choices.length);
    for (const value of values) counts[value] = (counts[value] as number) + 1;
    return counts;
  }
  const { log } = distribution;
  const low = log ? Math.log(distribution.low) : distribution.low;
  const high = log ? Math.log(distribution.high) : distribution.high;
  const counts = new Float64Array(cellsOf(distribution));
  const last = counts.length - 1;
  const width = (high - low) / last;
  for (const value of values) {
    const place = Math.ceil(((log ? Math.log(value) : value) - low) / width - 0.5);
    const cell = Math.min(last, Math.max(0, place));
    counts[cell] = (counts[cell] as number) + 1;
  }
  return counts;
}

function cellsOf(distribution: Exclude<Distribution, { kind: 'categorical' }>): number {
  const { kind, low, high, step, log } = distribution;
  if (kind === 'int' && log) return Math.min(CELLS, Math.ceil(Math.log(high - low + 1) / Math.LN2) + 1);
  return step === undefined ? CELLS : Math.min(CELLS, Math.round((high - low) / step) + 1);
}

/**
 * Density over the cells of a grid: a mixture of one component per filled cell, weighted by its count, and a wide prior. Bandwidth by
 * Scott's rule, robust by the quartiles (PED-ANOVA's estimator: Watanabe et al., IJCAI 2023, appendix).
 */
export function scottDensity(counts: Float64Array, isCategorical: boolean): Float64Array {
  const filled: number[] = [];
  let total = 0;
  for (const [cell, count] of counts.entries()) {
    if (count > 0) filled.push(cell);
    total += count;
  }
  return isCategorical ? categoricalDensity(counts, filled, total) : numericDensity(counts, filled, total);
}

function categoricalDensity(counts: Float64Array, filled: readonly number[], total: number): Float64Array {
  const choices = counts.length;
  const smoothing = PRIOR_WEIGHT / (filled.length + 1);
  const ownMass = (1 + smoothing) / (1 + choices * smoothing);
  const otherMass = smoothing / (1 + choices * smoothing);
  const density = new Float64Array(choices);
  for (let choice = 0; choice < choices; choice++) {
    let sum = PRIOR_WEIGHT / choices;
    for (const cell of filled) sum += (counts[cell] as number) * (cell === choice ? ownMass : otherMass);
    density[choice] = sum / (total + PRIOR_WEIGHT);
  }
  return density;
}

function numericDensity(counts: Float64Array, filled: readonly number[], total: number): Float64Array {
  const last = counts.length - 1;
  const sigma = bandwidth(counts, filled, total);
  const components = filled.map((cell) => ({ mu: cell, sigma, weight: counts[cell] as number }));
  components.push({ mu: last / 2, sigma: last + 1, weight: PRIOR_WEIGHT });
  const density = new Float64Array(counts.length);
  for (const { mu, sigma: width, weight } of components) {
    const mass = logNormalMass((-0.5 - mu) / width, (last + 0.5 - mu) / width);
    for (let cell = 0; cell <= last; cell++) {
      const inCell = logNormalMass((cell - 0.5 - mu) / width, (cell + 0.5 - mu) / width);
      density[cell] = (density[cell] as number) + weight * Math.exp(inCell - mass);
    }
  }
  return density.map((value) => value / (total + PRIOR_WEIGHT));
}

function bandwidth(counts: Float64Array, filled: readonly number[], total: number): number {
  const mean = filled.reduce((sum, cell) => sum + cell * (counts[cell] as number), 0) / total;
  const squares = filled.reduce((sum, cell) => sum + (cell - mean) ** 2 * (counts[cell] as number), 0);
  const deviation = Math.sqrt(squares / Math.max(1, total - 1));
  const cumulative: number[] = [];
  for (const cell of filled) cumulative.push((cumulative.at(-1) ?? 0) + (counts[cell] as number));
  const quarter = Math.floor(total / 4);
  const threeQuarters = Math.floor((total * 3) / 4);
  const first = cumulative.findIndex((sum) => sum >= quarter);
  const beyond = cumulative.findIndex((sum) => sum > threeQuarters);
  const upper = beyond < 0 ? filled.length - 1 : beyond;
  const range = (filled[upper] ?? 0) - (filled[first] ?? 0);
  return Math.max(LEAST_SIGMA, 1.059 * Math.min(range / 1.34, deviation) * total ** -0.2);
}
