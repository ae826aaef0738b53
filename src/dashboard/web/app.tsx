import type { JSX } from 'preact';

import { ThemeContext } from './contexts.js';
import { useRoute, useTheme, type ThemeChoice } from './hooks.js';
import { StudyList } from './study-list.js';
import { StudyPage } from './study-page.js';

const CHOICES: readonly ThemeChoice[] = ['auto', 'light', 'dark'];

export function App(): JSX.Element {
  const theme = useTheme();
  const [kind, id, tab = 'overview', detail] = useRoute();
  const next = CHOICES[(CHOICES.indexOf(theme.choice) + 1) % CHOICES.length] ?? 'auto';
  return (
    <ThemeContext.Provider value={theme.name}>
      <a class="skip" href="#main" onClick={skip}>
        Skip to content
      </a>
      <header class="top">
        <a class="brand" href="#/">
          <img src="./icon.svg" alt="" width="22" height="22" />
          resweep
        </a>
        <span class="grow" />
        <button type="button" class="quiet" onClick={() => theme.choose(next)}>
          {theme.choice === 'auto' ? 'Auto' : theme.choice === 'dark' ? 'Dark' : 'Light'}
          <span class="visually-hidden"> colours; change to {next}</span>
        </button>
      </header>
      <main id="main" tabIndex={-1}>
        {kind === 'study' && id !== undefined ? (
          <StudyPage key={id} id={id} tab={tab} detail={detail} />
        ) : (
          <StudyList />
        )}
      </main>
    </ThemeContext.Provider>
  );
}

function skip(event: Event): void {
  event.preventDefault();
  document.getElementById('main')?.focus();
}
