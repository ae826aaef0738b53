import { createContext } from 'preact';

import type { StudyDetail } from '../api-types.js';

/** What every view of a study gets. */
export interface TabProps {
  readonly study: StudyDetail;
}

/** Colours in force. */
export const ThemeContext = createContext<'light' | 'dark'>('light');

/** The study in view and its newest state that was heard of. */
export const StudyContext = createContext<{ readonly id: string; readonly revision: number }>({ id: '', revision: 0 });
