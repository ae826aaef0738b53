import { contourTable, type ContourFigure } from './contour.js';
import { edfTable, type EdfFigure } from './edf.js';
import { tableCsv, type FigureTable } from './figure-table.js';
import { hypervolumeHistoryTable, type HypervolumeHistoryFigure } from './hypervolume-history.js';
import { intermediateValuesTable, type IntermediateValuesFigure } from './intermediate-values.js';
import { optimizationHistoryTable, type OptimizationHistoryFigure } from './optimization-history.js';
import { parallelCoordinateTable, type ParallelCoordinateFigure } from './parallel-coordinate.js';
import { paramImportancesTable, type ParamImportancesFigure } from './param-importances-figure.js';
import { paretoFrontTable, type ParetoFrontFigure } from './pareto-front.js';
import { rankTable, type RankFigure } from './rank.js';
import { sliceTable, type SliceFigure } from './slice.js';
import { terminatorImprovementTable, type TerminatorImprovementFigure } from './terminator-improvement.js';
import { timelineTable, type TimelineFigure } from './timeline.js';

/** Data of any plot: plain data, told apart by `kind`. */
export type Figure =
  | OptimizationHistoryFigure
  | IntermediateValuesFigure
  | ParallelCoordinateFigure
  | SliceFigure
  | ContourFigure
  | RankFigure
  | ParamImportancesFigure
  | EdfFigure
  | ParetoFrontFigure
  | HypervolumeHistoryFigure
  | TimelineFigure
  | TerminatorImprovementFigure;

/** The numbers of a figure as rows under headings. */
export function figureTable(figure: Figure): FigureTable {
  switch (figure.kind) {
    case 'optimizationHistory':
      return optimizationHistoryTable(figure);
    case 'intermediateValues':
      return intermediateValuesTable(figure);
    case 'parallelCoordinate':
      return parallelCoordinateTable(figure);
    case 'slice':
      return sliceTable(figure);
    case 'contour':
      return contourTable(figure);
    case 'rank':
      return rankTable(figure);
    case 'paramImportances':
      return paramImportancesTable(figure);
    case 'edf':
      return edfTable(figure);
    case 'paretoFront':
      return paretoFrontTable(figure);
    case 'hypervolumeHistory':
      return hypervolumeHistoryTable(figure);
    case 'timeline':
      return timelineTable(figure);
    case 'terminatorImprovement':
      return terminatorImprovementTable(figure);
  }
}

/** The same as CSV. */
export function figureCsv(figure: Figure): string {
  return tableCsv(figureTable(figure));
}
