import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';

import { ActionsMenu } from './actions.js';
import { api } from './api.js';
import { BackupTab } from './backup-tab.js';
import { StudyContext, type TabProps } from './contexts.js';
import { useLive, useLoaded } from './hooks.js';
import { OverviewTab } from './overview-tab.js';
import { ParametersTab } from './parameters-tab.js';
import { Empty, Problem, StatusBadge } from './parts.js';
import { ResultsTab } from './results-tab.js';
import { SetupTab } from './setup-tab.js';
import { TrialPanel } from './trial-panel.js';
import { TrialsTab } from './trials-tab.js';

const TABS = [
  ['overview', 'Overview'],
  ['trials', 'Trials'],
  ['parameters', 'Parameters'],
  ['backup', 'Backup'],
  ['results', 'Results'],
  ['setup', 'Setup'],
] as const;

/** One study: its heading, and the view that the address names. */
export function StudyPage(props: {
  readonly id: string;
  readonly tab: string;
  readonly detail: string | undefined;
}): JSX.Element {
  const { id, tab, detail } = props;
  const live = useLive(id);
  const [edits, setEdits] = useState(0);
  const { value, error } = useLoaded((signal) => api.study(id, signal), [id, live.revision, edits]);
  useEffect(() => {
    if (value !== undefined) document.title = `${value.name} · resweep`;
  }, [value?.name]);
  if (value === undefined) {
    if (error === undefined) return <div class="placeholder tall" />;
    return (
      <>
        <p>
          <a href="#/">All studies</a>
        </p>
        <Problem error={error} />
      </>
    );
  }
  const revision = Math.max(live.revision, value.revision);
  return (
    <StudyContext.Provider value={{ id, revision }}>
      <nav class="crumbs" aria-label="Place">
        <a href="#/">Studies</a> <span aria-hidden="true">/</span>{' '}
        {tab === 'trial' ? <a href={`#/study/${id}/trials`}>{value.name}</a> : <span>{value.name}</span>}
      </nav>
      <div class="page-head">
        <h1>{tab === 'trial' ? `Trial ${detail ?? ''}` : value.name}</h1>
        {tab !== 'trial' && <StatusBadge status={value.status} />}
        {live.lost && <span class="badge status-broken">no connection</span>}
        <span class="grow" />
        {tab !== 'trial' && <ActionsMenu study={value} onChanged={() => setEdits((before) => before + 1)} />}
      </div>
      {tab === 'trial' ? (
        <TrialPanel study={value} number={Number(detail)} />
      ) : (
        <>
          <nav class="tabs" aria-label="Views of the study">
            {TABS.map(([name, title]) => (
              <a key={name} href={`#/study/${id}/${name}`} aria-current={tab === name ? 'page' : undefined}>
                {title}
              </a>
            ))}
          </nav>
          <View tab={tab} study={value} />
        </>
      )}
    </StudyContext.Provider>
  );
}

function View({ tab, study }: TabProps & { readonly tab: string }): JSX.Element {
  switch (tab) {
    case 'trials':
      return <TrialsTab study={study} />;
    case 'parameters':
      return <ParametersTab study={study} />;
    case 'backup':
      return <BackupTab study={study} />;
    case 'results':
      return <ResultsTab study={study} />;
    case 'setup':
      return <SetupTab study={study} />;
    case 'overview':
      return <OverviewTab study={study} />;
    default:
      return <Empty title="There is no such view." />;
  }
}
