import type { JSX } from 'preact';
import { useState } from 'preact/hooks';

import type { ParamInfo, Scalar, StudyDetail } from '../api-types.js';
import { api } from './api.js';
import { Dialog, Problem } from './parts.js';

/** What can be done with a study from here. */
export function ActionsMenu({
  study,
  onChanged,
}: {
  readonly study: StudyDetail;
  readonly onChanged: () => void;
}): JSX.Element {
  const [open, setOpen] = useState<'enqueue' | 'budget' | 'stop' | undefined>();
  const close = (): void => {
    setOpen(undefined);
    onChanged();
  };
  return (
    <div class="buttons">
      {study.params.length > 0 && (
        <button type="button" onClick={() => setOpen('enqueue')}>
          Enqueue trial
        </button>
      )}
      {study.config !== null && (
        <button type="button" onClick={() => setOpen('budget')}>
          Change budget
        </button>
      )}
      {study.status === 'running' && (
        <button type="button" class="danger" disabled={study.stopWished} onClick={() => setOpen('stop')}>
          {study.stopWished ? 'Stopping…' : 'Stop'}
        </button>
      )}
      {open === 'enqueue' && <EnqueueDialog study={study} params={study.best?.params ?? {}} onClose={close} />}
      {open === 'budget' && <BudgetDialog study={study} onClose={close} />}
      {open === 'stop' && <StopDialog study={study} onClose={close} />}
    </div>
  );
}

/** Runs a change and shows what the server says against it. */
function useChange(onDone: () => void): {
  readonly error: Error | undefined;
  readonly busy: boolean;
  run(work: () => Promise<unknown>): void;
} {
  const [error, setError] = useState<Error>();
  const [busy, setBusy] = useState(false);
  return {
    error,
    busy,
    run: (work) => {
      setBusy(true);
      setError(undefined);
      work().then(
        () => {
          setBusy(false);
          onDone();
        },
        (problem: unknown) => {
          setBusy(false);
          setError(problem instanceof Error ? problem : new Error(String(problem)));
        },
      );
    },
  };
}

interface DialogProps {
  readonly study: StudyDetail;
  readonly onClose: () => void;
}

export function EnqueueDialog(props: DialogProps & { readonly params: Readonly<Record<string, Scalar>> }): JSX.Element {
  const { study, onClose } = props;
  const [values, setValues] = useState<Record<string, string>>(() =>
    Object.fromEntries(study.params.map((param) => [param.name, typed(param, props.params[param.name])])),
  );
  const change = useChange(onClose);
  const submit = (event: Event): void => {
    event.preventDefault();
    const params = Object.fromEntries(
      study.params.flatMap((param) => {
        const text = values[param.name] ?? '';
        return text === '' ? [] : [[param.name, given(param, text)]];
      }),
    );
    change.run(() => api.change(study.id, 'enqueue', { params }));
  };
  return (
    <Dialog title="Enqueue a trial" onClose={onClose}>
      <form onSubmit={submit}>
        <p class="soft">The sweep takes it next. What is left empty, the sampler chooses.</p>
        {change.error !== undefined && <Problem error={change.error} />}
        {study.params.map((param) => (
          <ParamField
            key={param.name}
            param={param}
            value={values[param.name] ?? ''}
            onChange={(value) => setValues({ ...values, [param.name]: value })}
          />
        ))}
        <div class="buttons">
          <button type="submit" class="primary" disabled={change.busy}>
            Enqueue
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** What the field of a parameter holds for a value: a number's text, or the place of a choice, as 1 and "1" look alike. */
function typed({ choices }: ParamInfo, value: Scalar | undefined): string {
  if (value === undefined) return '';
  if (choices === null) return String(value);
  const place = choices.indexOf(value);
  return place < 0 ? '' : String(place);
}

/** What was typed as the parameter's own kind. */
function given({ choices }: ParamInfo, text: string): Scalar {
  return choices === null ? Number(text) : (choices[Number(text)] ?? null);
}

/** A choice as it is shown; in quotes where another one looks the same. */
function choiceText(choice: Scalar, choices: readonly Scalar[]): string {
  const isTwin = choices.some((other) => other !== choice && String(other) === String(choice));
  return typeof choice === 'string' && (isTwin || choice.trim() === '') ? JSON.stringify(choice) : String(choice);
}

function ParamField(props: {
  readonly param: ParamInfo;
  readonly value: string;
  readonly onChange: (value: string) => void;
}): JSX.Element {
  const { param, value, onChange } = props;
  return (
    <label class="field">
      <span>{param.name}</span>
      {param.choices === null ? (
        <input
          type="number"
          step={param.kind === 'int' ? '1' : 'any'}
          {...(param.low === null ? {} : { min: param.low })}
          {...(param.high === null ? {} : { max: param.high })}
          value={value}
          onInput={(event) => onChange(event.currentTarget.value)}
        />
      ) : (
        <select value={value} onChange={(event) => onChange(event.currentTarget.value)}>
          <option value="">sampler chooses</option>
          {param.choices.map((choice, place) => (
            <option key={place} value={String(place)}>
              {choiceText(choice, param.choices ?? [])}
            </option>
          ))}
        </select>
      )}
      <small class="soft">{param.range}</small>
    </label>
  );
}

function BudgetDialog({ study, onClose }: DialogProps): JSX.Element {
  const [trials, setTrials] = useState(String(study.config?.trials ?? ''));
  const [parallel, setParallel] = useState(String(study.config?.parallel ?? ''));
  const change = useChange(onClose);
  return (
    <Dialog title="Change the budget" onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          change.run(() => api.change(study.id, 'budget', { trials: Number(trials), parallel: Number(parallel) }));
        }}
      >
        <p class="soft">
          The total of finished trials, those there included. It wins over the YAML file until that is changed; a
          running sweep takes it over within seconds.
        </p>
        {change.error !== undefined && <Problem error={change.error} />}
        <label class="field">
          <span>Trials in all</span>
          <input
            type="number"
            min="1"
            required
            value={trials}
            onInput={(event) => setTrials(event.currentTarget.value)}
          />
          <small class="soft">{study.counts?.finished ?? 0} are finished</small>
        </label>
        <label class="field">
          <span>At a time</span>
          <input
            type="number"
            min="1"
            required
            value={parallel}
            onInput={(event) => setParallel(event.currentTarget.value)}
          />
          <small class="soft">from the next run on</small>
        </label>
        <div class="buttons">
          <button type="submit" class="primary" disabled={change.busy}>
            Save
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function StopDialog({ study, onClose }: DialogProps): JSX.Element {
  const change = useChange(onClose);
  return (
    <Dialog title="Stop the sweep" onClose={onClose}>
      <p>No new trial starts; those that run finish, and everything is backed up. The same command goes on later.</p>
      {change.error !== undefined && <Problem error={change.error} />}
      <div class="buttons">
        <button
          type="button"
          class="danger"
          disabled={change.busy}
          onClick={() => change.run(() => api.change(study.id, 'stop', {}))}
        >
          Stop after the running trials
        </button>
      </div>
    </Dialog>
  );
}
