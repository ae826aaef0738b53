import type { DeclaredSpace } from './declared-space.js';
import type { Distribution } from './distributions.js';
import type { FrozenTrial } from './frozen-trial.js';
import type { JsonValue } from './json.js';
import type { StudyDirection } from './study-direction.js';

/** Parameter name → distribution, names sorted. */
export type SearchSpace = Readonly<Record<string, Distribution>>;

/** The trials of a study as this process knows them now. Arrays are live: they grow, and are never to be changed by a reader. */
export interface TrialHistory {
  /** By number: `all[n].number === n`; in a part of a study the others' places are empty. */
  readonly all: readonly FrozenTrial[];
  /** Finished trials in the order in which this process learnt of them. Append-only, so a reader can keep its place in it. */
  readonly finished: readonly FrozenTrial[];
  /** RUNNING and WAITING trials by number. */
  readonly unfinished: readonly FrozenTrial[];
}

/** What samplers, pruners, callbacks and analysis may see of a study: reading only. */
export interface StudyView {
  readonly studyName: string;
  readonly directions: readonly StudyDirection[];
  /** Seed of all randomness of this study; stored with it. */
  readonly seed: number;
  readonly history: TrialHistory;
  readonly userAttrs: Readonly<Record<string, JsonValue>>;
  readonly systemAttrs: Readonly<Record<string, JsonValue>>;
  /** The space that a configuration declares, with its conditions; undefined for define-by-run. */
  readonly declaredSpace: DeclaredSpace | undefined;
  /** The study of which this shows only some trials (one of Hyperband's brackets); undefined where it shows all. */
  readonly whole?: StudyView | undefined;
}

/** The study with all its trials, whatever part of it `view` shows. */
export function wholeStudy(view: StudyView): StudyView {
  return view.whole ?? view;
}

/** A study whose trials are being run, as callbacks see it. */
export interface RunningStudy extends StudyView {
  /** Brings the history up to date. */
  sync(): Promise<void>;
  /** Starts no further trial. */
  stop(): void;
}
