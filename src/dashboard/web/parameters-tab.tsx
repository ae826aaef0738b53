import type { JSX } from 'preact';
import { useContext, useState } from 'preact/hooks';

import { Chart } from './chart-view.js';
import { ObjectiveChoice } from './overview-tab.js';
import { Empty } from './parts.js';
import { ThemeContext, type TabProps } from './contexts.js';

/** How the parameters shape the value: alone, in pairs, and how values are spread. */
export function ParametersTab({ study }: TabProps): JSX.Element {
  const names = study.params.map(({ name }) => name);
  const [objective, setObjective] = useState(0);
  const [pair, setPair] = useState<readonly [string, string]>(['', '']);
  const [x, y] = pair;
  // What stands out from the background.
  const strong = useContext(ThemeContext) === 'dark' ? 'brighter' : 'darker';
  if (names.length === 0) return <Empty title="No trial has a parameter yet." />;
  const query = x !== '' && y !== '' && x !== y ? { objective, params: [x, y] } : { objective };
  const choose = (index: 0 | 1) => (name: string) => setPair(index === 0 ? [name, y] : [x, name]);
  return (
    <>
      <div class="toolbar">
        {study.directions.length > 1 && (
          <ObjectiveChoice names={study.metricNames} value={objective} onChoose={setObjective} />
        )}
        <ParamChoice label="Horizontal" names={names} value={x} onChoose={choose(0)} />
        <ParamChoice label="Vertical" names={names} value={y} onChoose={choose(1)} />
        <span class="soft small">
          {x !== '' && x === y
            ? 'Choose two different parameters.'
            : 'Pairs show the most important parameters unless two are chosen.'}
        </span>
      </div>
      <Chart kind="slice" query={{ objective }} note={`later trials are ${strong}`} />
      <div class="grid wide">
        <Chart kind="contour" query={query} note={`the better, the ${strong}`} />
        <Chart kind="rank" query={query} note={`the better, the ${strong}`} />
      </div>
      <div class="grid">
        <Chart kind="paramImportances" />
        <Chart kind="edf" query={{ objective }} />
      </div>
    </>
  );
}

function ParamChoice(props: {
  readonly label: string;
  readonly names: readonly string[];
  readonly value: string;
  readonly onChoose: (name: string) => void;
}): JSX.Element {
  return (
    <label class="field">
      <span>{props.label}</span>
      <select value={props.value} onChange={(event) => props.onChoose(event.currentTarget.value)}>
        <option value="">most important</option>
        {props.names.map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}
