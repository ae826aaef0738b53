import type { JSX } from 'preact';
import { useContext, useState } from 'preact/hooks';

import type { BackupView, DestinationHealth, KeptStates } from '../api-types.js';
import { api } from './api.js';
import { StudyContext, type TabProps } from './contexts.js';
import { agoText, bytesText, countText, counted, timeText } from './format.js';
import { useLoaded, useTicks } from './hooks.js';
import { Empty, Problem } from './parts.js';

/** Whether the study would survive, and what speaks for it. */
export function BackupTab({ study }: TabProps): JSX.Element {
  const { id, revision } = useContext(StudyContext);
  const tick = useTicks(10_000);
  const { value, error } = useLoaded(
    async (signal) => (await api.get(id, 'backup', signal)) as BackupView,
    [id, revision, tick],
  );
  const [states, setStates] = useState<KeptStates | 'asking' | undefined>();
  if (value === undefined) return error === undefined ? <div class="placeholder tall" /> : <Problem error={error} />;
  if (value.destinations.length === 0) {
    return (
      <Empty title="This study is not backed up.">
        <p>
          If this machine died now, all {counted(study.counts?.total ?? 0, 'trial')} would be lost. Add a destination
          under <code>backup:</code> in its configuration.
        </p>
      </Empty>
    );
  }
  const ask = async (): Promise<void> => {
    setStates('asking');
    setStates(
      (await api.get(id, 'backup/states').catch((problem: unknown) => ({
        states: [],
        errors: [{ destination: 'all', error: String(problem) }],
      }))) as KeptStates,
    );
  };
  return (
    <>
      <Verdict view={value} />
      <div class="grid">
        {value.destinations.map((destination) => (
          <DestinationCard key={destination.name} destination={destination} />
        ))}
      </div>
      <section class="card">
        <div class="card-head">
          <h3>Kept copies</h3>
          <span class="grow" />
          <button type="button" disabled={states === 'asking'} onClick={() => void ask()}>
            {states === 'asking' ? 'Asking…' : states === undefined ? 'Ask the destinations' : 'Ask again'}
          </button>
        </div>
        {typeof states === 'object' ? (
          <Kept states={states} />
        ) : (
          <p class="soft">Every copy at every destination, with the rule that keeps it.</p>
        )}
      </section>
      <section class="card">
        <div class="card-head">
          <h3>What happened last</h3>
        </div>
        {value.events.length === 0 ? (
          <p class="soft">Nothing yet.</p>
        ) : (
          <ul class="lines events">
            {value.events.map((event, i) => (
              <li key={`${event.at} ${i}`}>
                <span class={event.ok ? 'sign good' : 'sign bad'} aria-label={event.ok ? 'good' : 'failed'} role="img">
                  {event.ok ? '✓' : '✕'}
                </span>
                <span class="soft when">{timeText(event.at)}</span>
                <span>{event.text}</span>
              </li>
            ))}
          </ul>
        )}
      </section>
    </>
  );
}

function Verdict({ view }: { readonly view: BackupView }): JSX.Element {
  const { trials, running, everything } = view.atRisk;
  const onDisk = view.destinations.filter(({ lastGoodAt }) => lastGoodAt !== null);
  const level = everything ? (onDisk.length > 0 ? 'warn' : 'bad') : trials > 0 ? 'warn' : 'good';
  const sentence = everything
    ? onDisk.length > 0
      ? 'Every copy lies on the same disk as the study: if that disk died now, everything would be lost.'
      : 'If this machine died now, everything would be lost.'
    : trials > 0
      ? `If this machine died now, ${counted(trials, 'finished trial')} would be lost.`
      : 'If this machine died now, no finished trial would be lost.';
  return (
    <div class={`verdict ${level}`} role="status">
      <span class="sign" aria-hidden="true">
        {level === 'good' ? '✓' : level === 'warn' ? '!' : '✕'}
      </span>
      <div>
        <b>{sentence}</b>
        {running > 0 && (
          <p class="small">
            {counted(running, 'running trial')} would be tried again, from the last checkpoint that was saved.
          </p>
        )}
      </div>
    </div>
  );
}

function DestinationCard({ destination }: { readonly destination: DestinationHealth }): JSX.Element {
  const { keep } = destination;
  const confirmed =
    destination.confirmation === 'verified' ? (
      <span class="good">✓ verified</span>
    ) : destination.confirmation === 'handedToMount' ? (
      <span class="warn">! in the mount, upload unconfirmed</span>
    ) : (
      <span class="bad">✕ not confirmed</span>
    );
  const tiers = [
    `newest ${keep.newest}`,
    ...(keep.days > 0 ? [`${keep.days} days`] : []),
    ...(keep.weeks > 0 ? [`${keep.weeks} weeks`] : []),
    ...(keep.months > 0 ? [`${keep.months} months`] : []),
    ...(keep.milestones.length > 0 ? [`milestones ${keep.milestones.map(countText).join(', ')}`] : []),
  ];
  return (
    <section class="card">
      <div class="card-head">
        <h3>{destination.name}</h3>
        <span class="chip small">{destination.type}</span>
        {destination.sameDisk && <span class="chip small warn">same disk</span>}
        {destination.encrypted && <span class="chip small">encrypted</span>}
      </div>
      <code class="soft small clip">{destination.location}</code>
      {destination.error !== null && (
        <div class="problem" role="alert">
          {destination.error}
        </div>
      )}
      <dl class="pairs">
        <div>
          <dt>last good copy</dt>
          <dd class={destination.lastGoodAt === null ? 'bad strong' : 'strong'}>{agoText(destination.lastGoodAt)}</dd>
        </div>
        <div>
          <dt>confirmation</dt>
          <dd>{destination.lastGoodAt === null ? '–' : confirmed}</dd>
        </div>
        <div>
          <dt>finished trials in it</dt>
          <dd>
            {destination.finishedTrials ?? '–'}
            {destination.missingTrials > 0 && <span class="warn"> ({destination.missingTrials} missing)</span>}
          </dd>
        </div>
        <div>
          <dt>size</dt>
          <dd>{bytesText(destination.bytes)}</dd>
        </div>
        <div>
          <dt>saved</dt>
          <dd>{destination.every || '–'}</dd>
        </div>
        <div>
          <dt>keeps</dt>
          <dd>{tiers.join(', ')}</dd>
        </div>
        <div>
          <dt>last verification</dt>
          <dd class={destination.verification?.ok === false ? 'bad' : ''}>
            {destination.verification === null
              ? 'never'
              : `${agoText(destination.verification.at)}: ${destination.verification.text}`}
          </dd>
        </div>
        <div>
          <dt>last drill</dt>
          <dd class={destination.drill?.ok === false ? 'bad' : ''}>
            {destination.drill === null ? 'never' : `${agoText(destination.drill.at)}: ${destination.drill.text}`}
          </dd>
        </div>
      </dl>
    </section>
  );
}

function Kept({ states }: { readonly states: KeptStates }): JSX.Element {
  return (
    <>
      {states.errors.map(({ destination, error }) => (
        <div key={destination} class="problem" role="alert">
          {destination}: {error}
        </div>
      ))}
      <div class="scroll" tabIndex={0} role="region" aria-label="Kept copies">
        <table>
          <thead>
            <tr>
              <th scope="col">Destination</th>
              <th scope="col">Saved</th>
              <th scope="col" class="n">
                Finished trials
              </th>
              <th scope="col">Kept because</th>
            </tr>
          </thead>
          <tbody>
            {states.states.map((state) => (
              <tr key={`${state.destination} ${state.snapshot}`}>
                <td>{state.destination}</td>
                <td>{timeText(state.createdAt)}</td>
                <td class="n">{state.finishedTrials}</td>
                <td class="soft wrap">{state.reasons.join('; ')}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {states.states.length === 0 && <p class="soft">No copy was found.</p>}
    </>
  );
}
