import type { CommandModule } from 'yargs';

import { authCommand } from './auth.js';
import { backupCommand, restoreCommand } from './backup.js';
import { cleanCommand, fsckCommand } from './care.js';
import { dashboardCommand } from './dashboard.js';
import { doctorCommand } from './doctor.js';
import { compareCommand, copyCommand, importCommand } from './exchange.js';
import { completionCommandOf, initCommand } from './first-steps.js';
import { launchCommand } from './launch.js';
import { reportCommand } from './report.js';
import { runCommand } from './run.js';
import { benchmarkCommand, convertCommand, pipelineCommand, selectCommand, trainCommand } from './stages.js';
import { askCommand, enqueueCommand, tellCommand } from './trial-commands.js';
import { stopCommand, workerCommand } from './worker.js';
import {
  bestCommand,
  hashCommand,
  importanceCommand,
  logsCommand,
  schemaCommand,
  statusCommand,
  trialsCommand,
  validateCommand,
} from './study-commands.js';

/** Every command, in the order of `--help`. Declarations only: what a command needs is loaded when it runs. */
export const commands: readonly CommandModule[] = [
  initCommand,
  runCommand,
  workerCommand,
  launchCommand,
  stopCommand,
  statusCommand,
  trialsCommand,
  bestCommand,
  importanceCommand,
  logsCommand,
  pipelineCommand,
  benchmarkCommand,
  selectCommand,
  trainCommand,
  convertCommand,
  dashboardCommand,
  compareCommand,
  enqueueCommand,
  askCommand,
  tellCommand,
  reportCommand,
  backupCommand,
  restoreCommand,
  cleanCommand,
  fsckCommand,
  copyCommand,
  importCommand,
  authCommand,
  hashCommand,
  validateCommand,
  schemaCommand,
  doctorCommand,
  completionCommandOf(() => commands),
] as unknown as readonly CommandModule[];
