import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { figureCsv, type Figure } from '../../analysis/plots/figure.js';
import { thinFigure } from '../../analysis/plots/thin-figure.js';
import { writeFileAtomically } from '../../core/atomic-file.js';
import { builtEntry } from '../../core/built-entry.js';
import { messageOf, ResweepError, UsageError } from '../../core/errors.js';
import { DARK, LIGHT } from '../../report/charts/chart-theme.js';
import { renderPng, renderSvg } from '../../report/render-chart.js';
import { reportPage, type ReportFigure } from '../../report/report-page.js';
import type { Study } from '../../study/study.js';
import type { OpenTarget } from '../studies/open-target.js';
import { bestNumbers } from './best-numbers.js';
import { reportContent } from './report-content.js';
import { stageResults } from './stage-results.js';
import { FIGURE_KINDS, isApplicable, StudyFigures } from './study-figures.js';
import { studyStatus } from './study-report.js';

export interface WriteReportOptions {
  /** The page. */
  readonly out?: string | undefined;
  /** Folders for one file per figure. */
  readonly svg?: string | undefined;
  readonly png?: string | undefined;
  readonly csv?: string | undefined;
  /** Of pictures; the page has both. @default 'light' */
  readonly theme?: 'light' | 'dark' | undefined;
}

export interface WrittenReport {
  readonly files: readonly string[];
  readonly figures: readonly Figure['kind'][];
}

/** Figures that show one objective at a time. */
const OF_ONE_OBJECTIVE: ReadonlySet<Figure['kind']> = new Set([
  'optimizationHistory',
  'slice',
  'contour',
  'rank',
  'edf',
]);

/** Trials that a figure of a report shows one by one. */
const MOST_DRAWN = 1_500;
const MOST_CURVES = 200;
/** Axes of parallel coordinates that can be told apart. */
const MOST_AXES = 10;

/** Writes what is asked for. @throws UsageError where nothing is asked for, or sharp is missing for a PNG */
export async function writeReport(target: OpenTarget, options: WriteReportOptions): Promise<WrittenReport> {
  const { out, svg, png, csv } = options;
  if (out === undefined && svg === undefined && png === undefined && csv === undefined) {
    throw new UsageError('Nothing to write.', { hint: 'resweep report --out report.html, or --svg, --png, --csv DIR' });
  }
  if (out !== undefined && isFolder(out))
    throw new UsageError(`${out} is a folder.`, { hint: `Name a file: --out ${join(out, 'report.html')}` });
  const { study } = target;
  await study.sync();
  const figures = await applicableFigures(study);
  const best = bestNumbers(study);
  const drawn = figures.map(({ figure }) => {
    const most = figure.kind === 'intermediateValues' ? MOST_CURVES : MOST_DRAWN;
    return thinFigure(fewerAxes(figure, figures), most, new Set(best));
  });
  const files: string[] = [];
  const write = (path: string, content: string | Uint8Array): void => {
    toDisk(path, () => {
      writeFileAtomically(path, content);
    });
    files.push(path);
  };
  const theme = options.theme === 'dark' ? DARK : LIGHT;
  const highlight = best.slice(0, 1);
  for (const [i, { figure, name }] of figures.entries()) {
    const thinned = drawn[i]?.figure ?? figure;
    if (csv !== undefined) write(join(makeFolder(csv), `${name}.csv`), figureCsv(figure));
    if (svg !== undefined) write(join(makeFolder(svg), `${name}.svg`), await renderSvg(thinned, { theme, highlight }));
    if (png !== undefined) write(join(makeFolder(png), `${name}.png`), await renderPng(thinned, { theme, highlight }));
  }
  if (out !== undefined) {
    const parts: ReportFigure[] = [];
    for (const [i, { figure, shown, of }] of drawn.entries()) {
      const notes = [
        ...(shown < of ? [`${shown.toLocaleString('en')} of ${of.toLocaleString('en')} trials drawn`] : []),
        ...axesNote(figure, figures[i]?.figure),
      ];
      parts.push({
        id: figures[i]?.name ?? figure.kind,
        about: figures[i]?.about,
        figure,
        note: notes.length === 0 ? undefined : notes.join(', '),
        svg: await renderSvg(figure, { highlight }),
      });
    }
    const status = await studyStatus(study, target);
    const { studyDir, study8 } = target;
    const results = studyDir === undefined || study8 === undefined ? [] : stageResults(studyDir, study8);
    const content = await reportContent(study, status, target.config, parts, highlight, results);
    write(out, reportPage(content, clientScript()));
  }
  return { files, figures: figures.map(({ figure }) => figure.kind) };
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

function makeFolder(path: string): string {
  toDisk(path, () => {
    mkdirSync(path, { recursive: true });
  });
  return path;
}

/** @throws UsageError where nothing can be written to that place */
function toDisk(path: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new UsageError(`${path} cannot be written: ${messageOf(error)}`, {
      code: 'OUTPUT_PATH',
      cause: error,
      hint: 'Name another place: --out takes a file, --svg, --png and --csv take folders.',
    });
  }
}

/** `optimizationHistory` → `optimization-history`. */
function fileName(kind: Figure['kind']): string {
  return kind.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

interface NamedFigure {
  readonly figure: Figure;
  /** Of its files. */
  readonly name: string;
  /** The objective that it is about, where there are several. */
  readonly about: string | undefined;
}

/** Every figure that the study can have; of several objectives each has its own where a figure shows one. */
async function applicableFigures(study: Study): Promise<NamedFigure[]> {
  const figures: NamedFigure[] = [];
  const all = new StudyFigures(study);
  const several = study.directions.length > 1;
  for (const kind of FIGURE_KINDS) {
    if (!isApplicable(kind, study.directions.length)) continue;
    const objectives = several && OF_ONE_OBJECTIVE.has(kind) ? [...study.directions.keys()] : [0];
    for (const objective of objectives) {
      try {
        const figure = await all.figure(kind, { objective });
        figures.push({
          figure,
          name: objective === 0 ? fileName(kind) : `${fileName(kind)}-${objective}`,
          about: objectives.length > 1 ? (study.metricNames?.[objective] ?? `objective ${objective}`) : undefined,
        });
      } catch (error) {
        // What cannot be told from these trials is left out; a fault of ours is not.
        if (!(error instanceof UsageError)) throw error;
      }
    }
  }
  return figures;
}

/** A page is only so wide: parallel coordinates of many parameters have axes for the most important ones. */
function fewerAxes(figure: Figure, others: readonly NamedFigure[]): Figure {
  if (figure.kind !== 'parallelCoordinate' || figure.params.length <= MOST_AXES) return figure;
  const ranked = others.flatMap((one) =>
    one.figure.kind === 'paramImportances' ? [...(one.figure.series[0]?.params ?? [])].reverse() : [],
  );
  const rankOf = ({ label }: { readonly label: string }): number => {
    const place = ranked.indexOf(label);
    return place < 0 ? ranked.length : place;
  };
  const kept = new Set([...figure.params].sort((a, b) => rankOf(a) - rankOf(b)).slice(0, MOST_AXES));
  return { ...figure, params: figure.params.filter((param) => kept.has(param)) };
}

function axesNote(drawn: Figure, whole: Figure | undefined): string[] {
  if (drawn.kind !== 'parallelCoordinate' || whole?.kind !== 'parallelCoordinate') return [];
  const [few, all] = [drawn.params.length, whole.params.length];
  return few === all ? [] : [`the ${few} most important of ${all} parameters`];
}

function clientScript(): string {
  const path = builtEntry('../../report/client/report-client.js', import.meta.url);
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new ResweepError('NOT_BUILT', `${path} is missing: this resweep was not built whole.`, {
      cause: error,
      hint: 'npm run build',
    });
  }
}
