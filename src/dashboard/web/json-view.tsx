import type { JSX } from 'preact';

import { valueText } from './format.js';

/** A document of which only the shape is known: names and values, deeper ones indented. */
export function JsonView({ value }: { readonly value: unknown }): JSX.Element {
  if (value === null || typeof value !== 'object')
    return <span>{valueText(value as string | number | boolean | null)}</span>;
  if (Array.isArray(value)) {
    const items = value as unknown[];
    if (items.every((item) => item === null || typeof item !== 'object')) {
      return <span>{items.map((item) => valueText(item as string | number | null)).join(', ')}</span>;
    }
    return (
      <ol class="json">
        {items.slice(0, 100).map((item, i) => (
          <li key={i}>
            <JsonView value={item} />
          </li>
        ))}
      </ol>
    );
  }
  return (
    <dl class="pairs json">
      {Object.entries(value as Record<string, unknown>).map(([name, item]) => (
        <div key={name}>
          <dt>{name.replaceAll('_', ' ')}</dt>
          <dd>
            <JsonView value={item} />
          </dd>
        </div>
      ))}
    </dl>
  );
}
