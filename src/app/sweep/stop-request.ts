import type { JsonValue } from '../../core/json.js';
import type { LaunchRecord } from '../../launch/launcher.js';
import type { Study } from '../../study/study.js';
import { launchOf } from '../launch/launch-records.js';

/** System attribute of a study: the last request to stop, kept so that it reaches workers on other machines. */
export const STOP_ATTRIBUTE = 'resweep:stop';

/** Asks every process that works on a study now to end; one that starts later goes on. `now`: also trials that run. */
export async function requestStop(study: Study, options: { now: boolean }): Promise<void> {
  const request: JsonValue = { id: crypto.randomUUID(), at: new Date().toISOString(), now: options.now };
  await study.setSystemAttr(STOP_ATTRIBUTE, request);
}

/** How soon a request is seen, and how much later for each worker of a launch: the database has an answer to give to each. */
const POLL_MS = 1_000;
const POLL_MS_PER_WORKER = 20;

/** Looks for a request made after this began, or one that ends the launch which this worker belongs to. */
export class StopWatch {
  readonly #study: Study;
  readonly #launch: string | undefined;
  readonly #before: string;
  #timer: NodeJS.Timeout | undefined;
  #isAsking = false;

  constructor(study: Study, launch?: string) {
    this.#study = study;
    this.#launch = launch;
    this.#before = idOf(study);
  }

  /** Calls once, soon after a request; at once where the launch is to end already. */
  start(onStop: (now: boolean) => void): void {
    if (this.#isDue()) {
      onStop(this.#isNow());
      return;
    }
    const workers = this.#launched()?.workers ?? 0;
    this.#timer = setInterval(
      () => {
        this.#look(onStop);
      },
      POLL_MS + POLL_MS_PER_WORKER * workers,
    );
    this.#timer.unref();
  }

  #look(onStop: (now: boolean) => void): void {
    if (this.#isAsking) return;
    this.#isAsking = true;
    void this.#study
      .refreshAttributes()
      .then(() => {
        if (!this.#isDue()) return;
        this.close();
        onStop(this.#isNow());
      })
      .catch(() => undefined) // A database that cannot be asked now is asked again.
      .finally(() => {
        this.#isAsking = false;
      });
  }

  #isDue(): boolean {
    return idOf(this.#study) !== this.#before || this.#launched()?.stoppedAt !== undefined;
  }

  #isNow(): boolean {
    return this.#launched()?.now === true || (idOf(this.#study) !== this.#before && isNow(this.#study));
  }

  #launched(): LaunchRecord | undefined {
    return this.#launch === undefined ? undefined : launchOf(this.#study, this.#launch);
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

function requestOf(study: Study): Readonly<Record<string, JsonValue | undefined>> {
  const request = study.systemAttrs[STOP_ATTRIBUTE];
  return request !== undefined && request !== null && typeof request === 'object' && !Array.isArray(request)
    ? (request as Readonly<Record<string, JsonValue>>)
    : {};
}

function idOf(study: Study): string {
  const { id } = requestOf(study);
  return typeof id === 'string' ? id : '';
}

function isNow(study: Study): boolean {
  return requestOf(study)['now'] === true;
}
