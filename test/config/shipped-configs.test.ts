import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { dataFingerprintOf } from '../../src/config/data-fingerprint.js';
import { declaredSpaceOf } from '../../src/config/declared-space.js';
import { loadConfig, loadConfigText } from '../../src/config/load-config.js';
import { configRegistry } from '../../src/app/studies/config-registry.js';

const FOLDER = join(import.meta.dirname, '..', '..', 'configs');
const names = readdirSync(FOLDER).filter((name) => name.endsWith('.yaml'));

test('there are some', () => {
  expect(names).toEqual(expect.arrayContaining(['quickstart.yaml', 'breast-cancer.yaml', 'diabetes.yaml']));
});

test.each(names)('%s is valid, survives being stored, and names the schema for editors', async (name) => {
  const registry = await configRegistry();
  const loaded = loadConfig(join(FOLDER, name), { registry });
  const { config, projectRoot, resolvedText } = loaded;
  expect(loaded.warnings).toEqual([]);
  expect(JSON.parse(JSON.stringify(config))).toEqual(config);
  expect(loadConfigText(resolvedText, { registry, name, projectRoot }).config).toEqual(config);
  expect(readFileSync(join(FOLDER, name), 'utf8')).toMatch(
    /^# yaml-language-server: \$schema=\.\/resweep\.schema\.json\n/,
  );
  const space = declaredSpaceOf(config);
  expect(space.parameters.length).toBeGreaterThan(0);
  if (config.objective.data?.path !== undefined) {
    expect(await dataFingerprintOf(config, loaded)).toMatch(/^sha256:[0-9a-f]{64}$/);
  }
});
