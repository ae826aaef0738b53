import type { JsonValue } from '../core/json.js';
import type { Study } from '../study/study.js';

/** System attribute of a study: the last request to stop, kept so that it reaches workers on other machines. */
export const STOP_ATTRIBUTE = 'resweep:stop';

/** Asks every process that works on a study now to end; one that starts later goes on. `now`: also trials that run. */
export async function requestStop(study: Study, options: { now: boolean }): Promise<void> {
  const request: JsonValue = { id: crypto.randomUUID(), at: new Date().toISOString(), now: options.now };
  await study.setSystemAttr(STOP_ATTRIBUTE, request);
}

/** Looks for a request made after this began. */
export class StopWatch {
  readonly #study: Study;
  readonly #before: string;
  #timer: NodeJS.Timeout | undefined;
  #isAsking = false;

  constructor(study: Study) {
    this.#study = study;
    this.#before = idOf(study);
  }

  /** Calls once, at most so many milliseconds after a request. */
  start(onStop: (now: boolean) => void, everyMs: number): void {
    this.#timer = setInterval(() => {
      if (this.#isAsking) return;
      this.#isAsking = true;
      void this.#study
        .refreshAttributes()
        .then(() => {
          if (idOf(this.#study) === this.#before) return;
          this.close();
          onStop(isNow(this.#study));
        })
        .catch(() => undefined) // A database that cannot be asked now is asked again.
        .finally(() => {
          this.#isAsking = false;
        });
    }, everyMs);
    this.#timer.unref();
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
