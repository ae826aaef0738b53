import { join } from 'node:path';

/**
 * Names of files and folders under a project's `outputs/`. A study that exists is found by its study8 under every environment;
 * these functions only say where a new one is put and how its parts are called.
 */
export const OUTPUTS_FOLDER = 'outputs';
export const STUDY_DB = 'study.db';
export const STUDY_YAML = 'study.yaml';
export const EVENTS_FILE = 'events.jsonl';
export const RUN_LOG = 'run.log';
export const TRIALS_FOLDER = 'trials';
/** Under `trials/`: folders of trials that a restore lost. */
export const ORPHANED_FOLDER = '.orphaned';

/** Where stages keep what they make, per environment and backbone. */
export interface Place {
  readonly projectRoot: string;
  readonly environment: string;
  readonly backbone: string;
}

function stageFolder(place: Place, stage: string): string {
  return join(place.projectRoot, OUTPUTS_FOLDER, stage, place.environment, place.backbone);
}

/** `outputs/hpo/<environment>/<backbone>`: holds `study-<study8>` folders. */
export function backboneFolder(place: Place): string {
  return stageFolder(place, 'hpo');
}

/** `outputs/hpo`: holds one folder per environment. */
export function hpoFolder(projectRoot: string): string {
  return join(projectRoot, OUTPUTS_FOLDER, 'hpo');
}

export function studyFolderName(study8: string): string {
  return `study-${study8}`;
}

/** study8 of a folder's name, or undefined where it is none of a study. */
export function study8OfFolderName(name: string): string | undefined {
  return /^study-([0-9a-f]{8})$/.exec(name)?.[1];
}

/** `outputs/hpo/<environment>/<backbone>/study-<study8>`. */
export function studyDirOf(
  projectRoot: string,
  labels: Pick<Place, 'environment' | 'backbone'>,
  study8: string,
): string {
  const { environment, backbone } = labels;
  return join(backboneFolder({ projectRoot, environment, backbone }), studyFolderName(study8));
}

/** `trial-<0000>-<trial8>`: number with at least four digits. */
export function trialFolderName(number: number, trial8: string): string {
  return `trial-${String(number).padStart(4, '0')}-${trial8}`;
}

/** Number and trial8 of a folder's name, or undefined where it is none of a trial. */
export function parseTrialFolderName(name: string): { readonly number: number; readonly trial8: string } | undefined {
  const [, number, trial8] = /^trial-(\d{4,})-([0-9a-f]{8})$/.exec(name) ?? [];
  return number === undefined || trial8 === undefined ? undefined : { number: Number(number), trial8 };
}

/** Folder of one trial, given its study's folder. */
export function trialDirOf(studyDir: string, number: number, trial8: string): string {
  return join(studyDir, TRIALS_FOLDER, trialFolderName(number, trial8));
}

/** `outputs/best_configuration/<environment>/<backbone>/study-<study8>.json`. */
export function selectionFile(place: Place, study8: string): string {
  return join(stageFolder(place, 'best_configuration'), `study-${study8}.json`);
}

/** `outputs/final_training/<environment>/<backbone>/spec-<spec8>`. */
export function finalTrainingFolder(place: Place, spec8: string): string {
  return join(stageFolder(place, 'final_training'), `spec-${spec8}`);
}

/** `outputs/conversion/<environment>/<backbone>/spec-<spec8>/conv-<conv8>`. */
export function conversionFolder(place: Place, spec8: string, conv8: string): string {
  return join(stageFolder(place, 'conversion'), `spec-${spec8}`, `conv-${conv8}`);
}
