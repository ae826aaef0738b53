import { ResweepError, UsageError } from '../../core/errors.js';
import type { Study } from '../../study/study.js';

/** A note, as optuna-dashboard keeps it: Markdown with a version that grows. */
export interface Note {
  readonly version: number;
  readonly text: string;
}

/** optuna-dashboard cuts a note into pieces of this length. */
const PIECE = 2045;
const LONGEST = 100_000;

/** Prefix of a note's attributes: of a trial (by its id in the storage), or of the study. They lie with the study, so finished trials can have them. */
function prefixOf(trialId: number | undefined): string {
  return trialId === undefined ? 'dashboard:' : `dashboard:${trialId}:`;
}

/** The note of a trial or, without one, of the study. */
export function readNote(study: Study, trialId?: number): Note {
  const prefix = prefixOf(trialId);
  const attributes = study.systemAttrs;
  const version = attributes[`${prefix}note_ver`];
  let text = '';
  for (let i = 0; ; i++) {
    const piece = attributes[`${prefix}note_str:${i}`];
    if (typeof piece !== 'string') break;
    text += piece;
  }
  return { version: typeof version === 'number' ? version : 0, text };
}

/**
 * Replaces a note. `version` is that of the note it was made from.
 * @throws ResweepError (NOTE_CHANGED) where somebody else changed it meanwhile; UsageError where it is too long
 */
export async function writeNote(study: Study, note: Note, trialId?: number): Promise<Note> {
  if (note.text.length > LONGEST)
    throw new UsageError(`A note may have ${LONGEST} letters, but this has ${note.text.length}.`);
  await study.refreshAttributes();
  const before = readNote(study, trialId);
  if (before.version !== note.version) {
    throw new ResweepError('NOTE_CHANGED', 'Somebody else changed this note meanwhile.', {
      hint: 'Look at the new one, then save yours again.',
    });
  }
  const prefix = prefixOf(trialId);
  const pieces = Math.max(1, Math.ceil(note.text.length / PIECE));
  const piecesBefore = Math.ceil(before.text.length / PIECE);
  for (let i = 0; i < Math.max(pieces, piecesBefore); i++) {
    // Pieces that are left over become empty, as optuna-dashboard leaves them.
    await study.setSystemAttr(`${prefix}note_str:${i}`, note.text.slice(i * PIECE, (i + 1) * PIECE));
  }
  const version = before.version + 1;
  await study.setSystemAttr(`${prefix}note_ver`, version);
  return { version, text: note.text };
}

/** Tags of a note: the words after `Tags:` in its last line, each with `#`. So every reader of notes sees them. */
export function tagsOf(text: string): string[] {
  const line = /(?:^|\n)Tags:((?:\s+#[^\s#]+)+)\s*$/.exec(text)?.[1] ?? '';
  return [...line.matchAll(/#([^\s#]+)/g)].map((match) => match[1] ?? '');
}

/** Numbers of the trials (by their ids) that have a note, with its tags. */
export function notedTrials(study: Study): Map<number, readonly string[]> {
  const noted = new Map<number, readonly string[]>();
  for (const key of Object.keys(study.systemAttrs)) {
    const id = /^dashboard:(\d+):note_ver$/.exec(key)?.[1];
    if (id === undefined) continue;
    const { text } = readNote(study, Number(id));
    if (text !== '') noted.set(Number(id), tagsOf(text));
  }
  return noted;
}
