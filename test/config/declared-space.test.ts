import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { declaredSpaceOf } from '../../src/config/declared-space.js';
import { loadConfigText } from '../../src/config/load-config.js';
import { isActive, type DeclaredSpace } from '../../src/core/declared-space.js';
import type { ParamValue } from '../../src/core/distributions.js';
import { configText, sampleRegistry } from './sample-registry.js';

function spaceOf(parameters: string, feasible = '[]'): DeclaredSpace {
  const text = configText({ parameters: `\n${parameters}`, feasible, objective: '{type: command, command: ["true"]}' });
  return declaredSpaceOf(
    loadConfigText(text, { registry: sampleRegistry, name: 'c.yaml', projectRoot: '/nowhere', env: {} }).config,
  );
}

describe('a declared space', () => {
  test('repeats become members, those that are always there without a condition', () => {
    const space = spaceOf(
      '  layers: {min: 2, max: 4}\n  units: {min: 16, max: 64, step: 16, repeat: layers}\n  seed: {value: 7}',
    );
    expect(space.parameters.map(({ name, conditions }) => [name, conditions])).toEqual([
      ['layers', []],
      ['units_0', []],
      ['units_1', []],
      ['units_2', [{ parameter: 'layers', atLeast: 3 }]],
      ['units_3', [{ parameter: 'layers', atLeast: 4 }]],
    ]);
    expect(space.constants).toEqual({ seed: 7 });
    expect(space.parameters[1]?.distribution).toMatchObject({ kind: 'int', low: 16, high: 64, step: 16 });
  });

  test('members of a repeat by a parameter that may be absent are absent with it', () => {
    const space = spaceOf(
      '  kind: {values: [flat, deep]}\n  layers: {min: 2, max: 3, when: {kind: deep}}\n  units: {min: 1, max: 9, repeat: layers}',
    );
    const active = (params: Readonly<Record<string, ParamValue>>): string[] => {
      const seen: Record<string, ParamValue> = {};
      for (const parameter of space.parameters) {
        const value = params[parameter.name];
        if (isActive(parameter, seen) && value !== undefined) seen[parameter.name] = value;
      }
      return Object.keys(seen);
    };
    const all = { kind: 'deep', layers: 2, units_0: 1, units_1: 1, units_2: 1 };
    expect(active(all)).toEqual(['kind', 'layers', 'units_0', 'units_1']);
    expect(active({ ...all, layers: 3 })).toEqual(['kind', 'layers', 'units_0', 'units_1', 'units_2']);
    expect(active({ ...all, kind: 'flat' })).toEqual(['kind']);
  });

  test.each([
    ['{optimizer: sgd}', [{ parameter: 'optimizer', oneOf: ['sgd'] }]],
    ['{optimizer: [sgd, adam]}', [{ parameter: 'optimizer', oneOf: ['sgd', 'adam'] }]],
    ['{layers: 2}', [{ parameter: 'layers', oneOf: [2] }]],
    ['{layers: ">= 2"}', [{ parameter: 'layers', atLeast: 2 }]],
    ['{layers: "> 2"}', [{ parameter: 'layers', atLeast: 3 }]],
    ['{layers: "<3"}', [{ parameter: 'layers', atMost: 2 }]],
    [
      '{rate: "<= 0.5", optimizer: sgd}',
      [
        { parameter: 'rate', atMost: 0.5 },
        { parameter: 'optimizer', oneOf: ['sgd'] },
      ],
    ],
  ])('when: %s', (when, conditions) => {
    const space = spaceOf(
      `  optimizer: {values: [adam, sgd]}\n  layers: {min: 1, max: 4}\n  rate: {min: 0.0, max: 1.0}\n  x: {min: 0.0, max: 1.0, when: ${when}}`,
    );
    expect(space.parameters.at(-1)?.conditions).toEqual(conditions);
  });

  test('rules: all must hold; one that mentions an absent parameter does not apply', () => {
    const space = spaceOf(
      '  layers: {min: 1, max: 3}\n  units: {min: 1, max: 100, repeat: layers}\n  limit: {value: 100}',
      '["layers * units_0 <= limit", "units_1 <= units_0", "sum(units) <= 150"]',
    );
    expect(space.isFeasible({ layers: 1, units_0: 100 })).toBe(true);
    expect(space.isFeasible({ layers: 2, units_0: 51, units_1: 1 })).toBe(false);
    expect(space.isFeasible({ layers: 2, units_0: 10, units_1: 11 })).toBe(false);
    expect(space.isFeasible({ layers: 3, units_0: 33, units_1: 33, units_2: 100 })).toBe(false);
    expect(space.isFeasible({ layers: 3, units_0: 33, units_1: 33, units_2: 84 })).toBe(true);
  });

  test('without rules everything is feasible', () => {
    const space = spaceOf('  a: {min: 0.0, max: 1.0}');
    fc.assert(fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (a) => space.isFeasible({ a })));
  });

  test('choices of every kind stay as they are', () => {
    const space = spaceOf('  a: {values: [1, 1.5, "1", true, null, x]}');
    expect(space.parameters[0]?.distribution).toMatchObject({ choices: [1, 1.5, '1', true, null, 'x'] });
  });
});
