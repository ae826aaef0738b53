import { describe, expect, it } from 'vitest';

import { nearestName } from '../../src/core/nearest-name.js';

describe('nearestName', () => {
  it.each([
    ['learning_rat', ['momentum', 'learning_rate', 'layers'], 'learning_rate'],
    ['tep', ['tpe', 'random', 'grid'], 'tpe'],
    ['Radnom', ['tpe', 'random', 'grid'], 'random'],
    ['median', ['hyperband', 'median'], 'median'],
    ['optmizer', ['optimizer', 'optimiser_state'], 'optimizer'],
    ['trails', ['trials', 'train'], 'trials'],
    ['SAMPLER', ['pruner', 'sampler'], 'sampler'],
  ])('%s among %j is %s', (name, candidates, nearest) => {
    expect(nearestName(name, candidates)).toBe(nearest);
  });

  it.each([
    ['x', ['lr', 'gp', 'ab']],
    ['lr', ['tpe', 'gp']],
    ['zzzzzz', ['sampler', 'pruner']],
    ['', ['a', 'ab']],
    ['sampler', []],
  ])('%s has nothing near it in %j', (name, candidates) => {
    expect(nearestName(name, candidates)).toBeUndefined();
  });

  it('takes the first of equally near names, and any iterable', () => {
    expect(nearestName('lime', new Set(['time', 'dime']))).toBe('time');
  });
});
