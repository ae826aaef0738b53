import type { JSX } from 'preact';

import { NoteEditor } from './note-editor.js';
import type { TabProps } from './contexts.js';
import { scrolling } from './parts.js';

/** How the study is set up: its parameters, its configuration, what is noted about it. */
export function SetupTab({ study }: TabProps): JSX.Element {
  const { config, params } = study;
  return (
    <>
      <div class="grid">
        <section class="card">
          <dl class="pairs">
            <div>
              <dt>stored in</dt>
              <dd>
                <code>{study.place}</code>
              </dd>
            </div>
            {study.metricNames.map((name, i) => (
              <div key={name}>
                <dt>{study.directions[i]}</dt>
                <dd>{name}</dd>
              </div>
            ))}
            {config !== null && (
              <>
                <div>
                  <dt>trials</dt>
                  <dd>{config.trials}</dd>
                </div>
                <div>
                  <dt>at a time</dt>
                  <dd>{config.parallel}</dd>
                </div>
                <div>
                  <dt>revision</dt>
                  <dd>
                    {config.revision}
                    {config.edited && ' (changed here)'}
                  </dd>
                </div>
              </>
            )}
            {Object.entries(study.userAttrs).map(([name, value]) => (
              <div key={name}>
                <dt class="soft">{name}</dt>
                <dd {...scrolling(value)}>{value}</dd>
              </div>
            ))}
          </dl>
        </section>
        <NoteEditor id={study.id} note={study.note} />
      </div>
      <section class="card">
        <div class="card-head">
          <h3>Parameters</h3>
        </div>
        <dl class="pairs">
          {params.map(({ name, range }) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{range}</dd>
            </div>
          ))}
        </dl>
      </section>
      {config !== null && (
        <section class="card">
          <div class="card-head">
            <h3>Configuration as run</h3>
          </div>
          <pre class="log" tabIndex={0} aria-label="Configuration">
            {config.text}
          </pre>
        </section>
      )}
    </>
  );
}
