import { readFileSync } from 'node:fs';

import { parseJson, type JsonValue } from '../../src/core/json.js';

/** What test/golden/make-sampler-facts.py recorded. */
export function samplerFacts(): JsonValue {
  return parseJson(readFileSync(new URL('../golden/sampler-facts.json', import.meta.url), 'utf8'));
}
