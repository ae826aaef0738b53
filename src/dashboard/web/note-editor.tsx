import type { JSX } from 'preact';
import { useState } from 'preact/hooks';

import type { NoteText } from '../api-types.js';
import { api } from './api.js';
import { Problem, scrolling } from './parts.js';

const TAG_LINE = /(?:^|\n)Tags:((?:\s+#[^\s#]+)+)\s*$/;

/** The note without its line of tags, and the tags. */
function parted(text: string): { readonly body: string; readonly tags: readonly string[] } {
  const match = TAG_LINE.exec(text);
  const tags = [...(match?.[1] ?? '').matchAll(/#([^\s#]+)/g)].map((one) => one[1] ?? '');
  return { body: match === null ? text : text.slice(0, match.index), tags };
}

function joined(body: string, tags: readonly string[]): string {
  const line = tags.length === 0 ? '' : `Tags: ${tags.map((tag) => `#${tag}`).join(' ')}`;
  return [body.trimEnd(), line].filter((part) => part !== '').join('\n');
}

/** A note of a trial or of the study, kept where optuna-dashboard keeps its notes. */
export function NoteEditor(props: {
  readonly id: string;
  readonly trial?: number;
  readonly note: NoteText;
  readonly tags?: boolean;
}): JSX.Element {
  const [saved, setSaved] = useState(props.note);
  const newest = props.note.version > saved.version ? props.note : saved;
  const { body, tags } = parted(newest.text);
  const [draft, setDraft] = useState<{ body: string; tags: string } | undefined>();
  const [error, setError] = useState<Error>();
  const [busy, setBusy] = useState(false);
  const save = async (): Promise<void> => {
    if (draft === undefined) return;
    setBusy(true);
    setError(undefined);
    const words = draft.tags.split(/[\s,#]+/).filter(Boolean);
    try {
      const change = { trial: props.trial, version: newest.version, text: joined(draft.body, words) };
      setSaved((await api.change(props.id, 'note', change)) as NoteText);
      setDraft(undefined);
    } catch (problem) {
      setError(problem instanceof Error ? problem : new Error(String(problem)));
    } finally {
      setBusy(false);
    }
  };
  return (
    <section class="card note">
      <div class="card-head">
        <h3>Note</h3>
        <span class="grow" />
        {draft === undefined && (
          <button type="button" class="quiet" onClick={() => setDraft({ body, tags: tags.join(' ') })}>
            {newest.text === '' ? 'Write' : 'Edit'}
          </button>
        )}
      </div>
      {error !== undefined && <Problem error={error} />}
      {draft === undefined ? (
        <>
          {body === '' ? (
            <p class="soft">{tags.length === 0 ? 'Nothing written.' : ''}</p>
          ) : (
            <div {...scrolling(body)}>
              <p class="note-text">{body}</p>
            </div>
          )}
          {tags.map((tag) => (
            <span key={tag} class="chip">
              {tag}
            </span>
          ))}
        </>
      ) : (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            void save();
          }}
        >
          <textarea
            rows={4}
            aria-label="Note"
            value={draft.body}
            onInput={(event) => setDraft({ ...draft, body: event.currentTarget.value })}
          />
          {props.tags === true && (
            <label class="field">
              <span>Tags</span>
              <input
                value={draft.tags}
                placeholder="baseline check"
                onInput={(event) => setDraft({ ...draft, tags: event.currentTarget.value })}
              />
            </label>
          )}
          <div class="buttons">
            <button type="submit" class="primary" disabled={busy}>
              Save
            </button>
            <button type="button" onClick={() => setDraft(undefined)}>
              Cancel
            </button>
          </div>
        </form>
      )}
    </section>
  );
}
