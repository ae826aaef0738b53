import type { JSX } from 'preact';
import { useContext } from 'preact/hooks';

import type { StageResult } from '../api-types.js';
import { api } from './api.js';
import { StudyContext, type TabProps } from './contexts.js';
import { useLoaded } from './hooks.js';
import { Empty, Problem } from './parts.js';
import { StageView } from './stage-views.js';

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
          <code>resweep pipeline CONFIG</code> measures the best models, chooses one, trains it finally and converts it.
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
            <StageView study={study} stage={stage} results={own} />
          </section>
        );
      })}
    </>
  );
}
