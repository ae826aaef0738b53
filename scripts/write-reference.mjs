/**
 * `npm run docs`: writes docs/reference/configuration.md from the JSON Schema of configurations.
 *
 *   node scripts/write-reference.mjs [--check]     --check: only says whether the page is current (exit code 1 where it is not)
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

import { at } from './lib/paths.mjs';

const PAGE = at('docs', 'reference', 'configuration.md');
const schema = JSON.parse(readFileSync(at('configs', 'resweep.schema.json'), 'utf8'));

/** What may be written, in a few words. */
function typeOf(node) {
  if (node.const !== undefined) return `\`${String(node.const)}\``;
  if (node.enum !== undefined) return node.enum.map((value) => `\`${String(value)}\``).join(', ');
  const alternatives = node.anyOf ?? node.oneOf;
  if (alternatives !== undefined) return [...new Set(alternatives.map(typeOf))].join(' or ');
  if (node.type === 'array') return `list${node.items === undefined ? '' : ` of ${typeOf(node.items)}`}`;
  if (node.type === 'object') return 'mapping';
  const bounds = [
    node.minimum === undefined ? '' : `≥ ${node.minimum}`,
    node.exclusiveMinimum === undefined ? '' : `> ${node.exclusiveMinimum}`,
    node.maximum === undefined ? '' : `≤ ${node.maximum}`,
  ].filter(Boolean);
  const name = [node.type ?? 'any value'].flat().join(' or ');
  return bounds.length === 0 ? name : `${name} ${bounds.join(', ')}`;
}

const cell = (text) => String(text).replaceAll('|', '\\|').replaceAll('\n', ' ');
const json = (value) => `\`${JSON.stringify(value)}\``;

function row(key, node, required) {
  const notes = [
    node.description,
    node.examples === undefined ? undefined : `For example ${node.examples.map(json).join(', ')}.`,
  ].filter(Boolean);
  const preset = required ? '**required**' : node.default === undefined ? '' : json(node.default);
  return `| \`${key}\` | ${cell(typeOf(node))} | ${cell(preset)} | ${cell(notes.join(' '))} |`;
}

/** Rows of a mapping, those of the mappings in it below them with dotted names. */
function rowsOf(node, prefix = '') {
  return Object.entries(node.properties ?? {}).flatMap(([key, child]) => {
    const name = prefix + key;
    const own = row(name, child, node.required?.includes(key) && child.default === undefined);
    return child.type === 'object' && child.properties !== undefined ? [own, ...rowsOf(child, `${name}.`)] : [own];
  });
}

const HEAD = ['| key | value | default | meaning |', '| --- | --- | --- | --- |'];

/** Forms of a mapping that a key names by `type` or `trainer`. */
function variantsOf(node) {
  const list = node.anyOf ?? node.oneOf ?? [];
  const items = node.items === undefined ? [] : variantsOf(node.items);
  return [...list.filter((each) => each.properties !== undefined && tagOf(each) !== undefined), ...items];
}

function tagOf(node) {
  for (const key of ['type', 'trainer', 'kind']) {
    const value = node.properties?.[key];
    const name = value?.const ?? (value?.enum?.length === 1 ? value.enum[0] : undefined);
    if (name !== undefined) return key === 'trainer' ? `trainer: ${name}` : `${key}: ${name}`;
  }
  return undefined;
}

function variantSections(title, node) {
  return variantsOf(node).flatMap((variant) => {
    const trainer = variant.properties.trainer?.const;
    const name = trainer === undefined ? tagOf(variant) : `type: tfjs, trainer: ${trainer}`;
    const text = variant.description === undefined ? [] : [variant.description, ''];
    return [`### \`${title}\`: \`${name}\``, '', ...text, ...HEAD, ...rowsOf(variant), ''];
  });
}

const lines = [
  '# Configuration',
  '',
  'Made from the JSON Schema (`npm run docs`); editors complete the same keys. Text such as `${NAME}` is taken from the environment.',
  'Durations are written `90s`, `30m`, `12h`, `3d`; sizes `512MB`, `4GB`; shares `20%` or `0.2`. Unknown keys are errors.',
  '',
  ...HEAD,
  ...rowsOf(schema),
  '',
  '## A parameter',
  '',
  'Each key of `parameters` is the name of a parameter, and holds one of `values`, `value`, or `min` with `max`:',
  '',
  ...HEAD,
  ...rowsOf(schema.properties.parameters.additionalProperties),
  '',
  '## Forms',
  '',
];
for (const [key, node] of Object.entries(schema.properties)) {
  lines.push(...variantSections(key, node));
  for (const [child, inner] of Object.entries(node.properties ?? {}))
    lines.push(...variantSections(`${key}.${child}`, inner));
}
const text = `${lines.join('\n').trimEnd()}\n`;
const isCurrent = existsSync(PAGE) && readFileSync(PAGE, 'utf8') === text;
if (process.argv.includes('--check')) {
  if (!isCurrent) console.error('docs/reference/configuration.md is not current: npm run docs');
  process.exitCode = isCurrent ? 0 : 1;
} else if (!isCurrent) {
  mkdirSync(dirname(PAGE), { recursive: true });
  writeFileSync(PAGE, text);
  console.log('Written: docs/reference/configuration.md');
}
