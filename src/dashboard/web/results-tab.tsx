import type { JSX } from 'preact';
import { useContext } from 'preact/hooks';

import type { StageResult } from '../api-types.js';
import { api } from './api.js';
import { StudyContext, type TabProps } from './contexts.js';
import { useLoaded } from './hooks.js';
import { JsonView } from './json-view.js';
import { Empty, Problem } from './parts.js';

const TITLES: Readonly<Record<StageResult['stage'], string>> = {
  selection: 'Chosen configuration',
  benchmark: 'Benchmarks',
  training: 'Final training',
  conversion: 'Conversion',
};

/** What the stages after the sweep made of it. */
export function ResultsTab({ study }: TabProps): JSX.Element {
  const { id, revision } = useContext(StudyContext);
  const { value, error } = useLoaded(
    async (signal) => (await api.get(id, 'results', signal)) as StageResult[],
    [id, revision],
  );
  if (value === undefined) return error === undefined ? <div class="placeholder tall" /> : <Problem error={error} />;
  if (value.length === 0) {
    return (
      <Empty title="Nothing was made of this study yet.">
        <p>
          <code>resweep pipeline CONFIG</code> benchmarks, selects, trains and converts; {study.name} shows the results
          here.
        </p>
      </Empty>
    );
  }
  return (
    <>
      {(Object.keys(TITLES) as StageResult['stage'][]).map((stage) => {
        const own = value.filter((result) => result.stage === stage);
        if (own.length === 0) return null;
        return (
          <section key={stage}>
            <h2>{TITLES[stage]}</h2>
            <div class="grid">
              {own.map((result) => (
                <div key={result.place} class="card">
                  <div class="card-head">
                    <code class="soft small clip">{result.place}</code>
                  </div>
                  <JsonView value={result.content} />
                </div>
              ))}
            </div>
          </section>
        );
      })}
    </>
  );
}
