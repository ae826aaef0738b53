import type { StudyFileReport } from '../../core/snapshot-source.js';
import type { FileDigest } from '../files/file-digest.js';
import type { StudyContent } from '../format/manifest.js';

/** One file of a captured state: where its bytes can be read, and what they are. */
export interface CapturedFile {
  /** Relative to the target; empty where the target is a file. */
  readonly path: string;
  /** Local file to read from; stable for a snapshot, checked again while reading otherwise. */
  readonly source: string;
  readonly digest: FileDigest;
  readonly modifiedAt: number;
}

/** A consistent state of one target at one moment, ready to be sent to any destination. */
export interface Capture {
  /** Key of the target. */
  readonly target: string;
  /** Counts the captures of this process; a later one of the same target holds a later state. */
  readonly sequence: number;
  readonly kind: 'file' | 'folder';
  readonly files: readonly CapturedFile[];
  readonly bytes: number;
  readonly takenAt: number;
  readonly full: boolean;
  readonly report: StudyFileReport | undefined;
  readonly study: StudyContent | undefined;
  /** Members that were left out, with the reason. */
  readonly skipped: readonly { readonly path: string; readonly reason: string }[];
  /** Time that it took. */
  readonly costMs: number;
}
