import { setTimeout as sleep } from 'node:timers/promises';

import type { Figure } from '../analysis/plots/figure.js';
import { UsageError } from '../core/errors.js';
import { nearestName } from '../core/nearest-name.js';
import type { CatalogEntry } from '../app/studies/catalog-entry.js';
import { FIGURE_KINDS, isApplicable, type FigureRequest } from '../app/views/study-figures.js';
import type { FigureOrder } from './figure-maker.js';
import { FigureProcess } from './figure-process.js';
import type { OpenedStudy } from './open-studies.js';

const KEPT = 300;
/** Figures that people see first. */
const FIRST = ['optimizationHistory', 'intermediateValues'] as const;
/** Those of the views that they open next, in the order in which they see them; none of them takes seconds. */
const FORESEEN = ['paramImportances', 'timeline', 'parallelCoordinate', 'slice', 'contour', 'rank', 'edf'] as const;
/** So long a visitor who comes at once has this machine for the page itself. */
const SETTLING_MS = 1_500;
/** So often it is looked whether somebody still waits for a figure. */
const LOOK_MS = 30;

/** Answers of figures, made in other processes and kept while their study does not change. */
export class FigureAnswers {
  readonly #kept = new Map<string, Promise<string>>();
  readonly #quick = new FigureProcess();
  /** For what takes seconds, so that nothing else waits for it or gets less of the machine. */
  readonly #slow = new FigureProcess({ isPatient: true });
  /** Studies whose figures were foreseen. */
  readonly #known = new Set<string>();
  /** Figures that somebody waits for. */
  #wanted = 0;
  #isClosed = false;

  /** Gets ready for figures, those of one study where one is named. */
  prepare(entry?: CatalogEntry): void {
    this.#quick.prepare(entry);
  }

  /** The answer as text. @throws UsageError for a kind that there is not, or that this study cannot have */
  async answer(opened: OpenedStudy, kind: string, as: 'json' | 'csv', request: FigureRequest): Promise<string> {
    const known = FIGURE_KINDS.find((one) => one === kind);
    if (known === undefined) {
      const nearest = nearestName(kind, FIGURE_KINDS);
      throw new UsageError(`There is no figure "${kind}".`, {
        hint: nearest === undefined ? `There are ${FIGURE_KINDS.join(', ')}.` : `Did you mean "${nearest}"?`,
      });
    }
    if (!isApplicable(known, opened.study.directions.length)) {
      throw new UsageError(`A study of ${opened.study.directions.length} objectives has no such figure.`);
    }
    const { objective, params } = request;
    const order: FigureOrder = { entry: opened.entry, kind: known, as, objective, params };
    // A table may have as many rows as the study: it is not kept.
    if (as === 'csv') return await this.#make(order);
    this.#wanted++;
    try {
      return await this.#once(opened, order);
    } finally {
      this.#wanted--;
    }
  }

  /** Makes what people see first of a study. What cannot be made is told to whoever asks for it. */
  async makeFirst(opened: OpenedStudy): Promise<void> {
    for (const kind of FIRST) await this.#foreseen(opened, kind);
  }

  /** Makes the figures of the other views once, while nobody waits for one: they are there when they are asked for. */
  async foresee(opened: OpenedStudy): Promise<void> {
    const { id } = opened.entry;
    if (this.#known.has(id)) return;
    this.#known.add(id);
    await sleep(SETTLING_MS, undefined, { ref: false });
    for (const kind of FORESEEN) {
      while (this.#wanted > 0) await sleep(LOOK_MS);
      if (this.#isClosed) return;
      await this.#foreseen(opened, kind);
    }
  }

  async #foreseen(opened: OpenedStudy, kind: Figure['kind']): Promise<void> {
    const { entry, study } = opened;
    if (this.#isClosed || !isApplicable(kind, study.directions.length)) return;
    await this.#once(opened, { entry, kind, as: 'json', objective: 0, params: undefined }).catch(() => undefined);
  }

  async #once(opened: OpenedStudy, order: FigureOrder): Promise<string> {
    const { kind, objective, params } = order;
    const key = JSON.stringify([opened.entry.id, opened.revision, kind, objective, params]);
    let made = this.#kept.get(key);
    if (made === undefined) {
      made = this.#make(order);
      made.catch(() => this.#kept.delete(key));
      this.#kept.set(key, made);
      for (const old of this.#kept.keys()) {
        if (this.#kept.size <= KEPT) break;
        this.#kept.delete(old);
      }
    }
    return await made;
  }

  async #make(order: FigureOrder): Promise<string> {
    return await (order.kind === 'terminatorImprovement' ? this.#slow : this.#quick).make(order);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([this.#quick.close(), this.#slow.close()]);
  }
}
