import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import type { StudyFileReport } from '../../core/snapshot-source.js';
import type { Capture, CapturedFile } from '../capture/capture.js';
import { callsAtOnce, eachAtOnce, type AtOnce } from '../destinations/at-once.js';
import type { Confirmation, Destination } from '../destinations/destination.js';
import { CHUNK_BYTES, DATABASE_CHUNK_BYTES, digestFile } from '../files/file-digest.js';
import { loadManifest } from '../format/catalog.js';
import type { Manifest, ManifestName, StudyContent } from '../format/manifest.js';
import { containsStudy, studyContent } from '../format/study-content.js';

/** Of a folder, sent at the same time to a place that is far away. */
const FILES_AT_ONCE = 4;
/** Files under way are this large together, or a larger one goes alone, in parts: so much of them is in memory. */
const FILES_ROOM_BYTES = 24 << 20;

/**
 * Keeps the plain copy at the target's own path, for people and for tools that know nothing of this format. It is replaced
 * only by a state that holds all of its finished trials; a file that nobody described is taken in first.
 */
export class MirrorWriter {
  readonly #destination: Destination;
  readonly #target: string;
  readonly #inspect: (path: string) => Promise<StudyFileReport | undefined>;
  readonly #temporary: string;
  /** What the mirror of a file holds; undefined until it was looked at, null where there is none. */
  #there: { readonly sha256: string; readonly study: StudyContent | null } | null | undefined;
  readonly #sent = new Map<string, string>();

  constructor(
    destination: Destination,
    target: string,
    inspect: (path: string) => Promise<StudyFileReport | undefined>,
    temporary: string,
  ) {
    this.#destination = destination;
    this.#target = target;
    this.#inspect = inspect;
    this.#temporary = temporary;
  }

  /** Takes note of a mirror that holds what a manifest describes. */
  know(manifest: Manifest): void {
    this.#there = { sha256: manifest.members?.[0]?.sha256 ?? '', study: manifest.study };
  }

  /** Whether the plain copy of a file is there as captured. (Of a folder, only what this process sent is known.) */
  async isCurrent(capture: Capture, signal: AbortSignal | undefined): Promise<boolean> {
    if (!this.#destination.traits.mirror || capture.kind === 'folder') return true;
    const there = await this.#destination.checksum(this.#target, { signal });
    return there?.sha256 === capture.files[0]?.digest.sha256;
  }

  /** A file at the mirror's place that no manifest describes, as a state of its own; undefined where there is none. */
  async takeInForeign(
    capture: Capture,
    names: readonly ManifestName[],
    signal: AbortSignal | undefined,
  ): Promise<Capture | undefined> {
    if (capture.kind === 'folder') return undefined;
    // Looked at before every write: another machine may have written it meanwhile, or a person.
    const there = await this.#destination.checksum(this.#target, { signal });
    if (there === undefined) {
      this.#there = null;
      return undefined;
    }
    if (there.sha256 === this.#there?.sha256) return undefined;
    this.#sent.clear();
    if (there.sha256 === capture.files[0]?.digest.sha256) {
      this.#there = { sha256: there.sha256, study: capture.study ?? null };
      return undefined;
    }
    const described = names.find(({ content }) => there.sha256.startsWith(content));
    if (described !== undefined) {
      try {
        this.know(await loadManifest(this.#destination, this.#target, described.name, { signal }));
        return undefined;
      } catch (error) {
        signal?.throwIfAborted();
        if ((error as { code?: string }).code !== 'MANIFEST') throw error;
      }
    }
    return this.#foreign(capture, signal);
  }

  async #foreign(capture: Capture, signal: AbortSignal | undefined): Promise<Capture | undefined> {
    mkdirSync(this.#temporary, { recursive: true });
    const file = join(this.#temporary, `found-${randomBytes(6).toString('hex')}`);
    try {
      const found = await this.#destination.download(this.#target, file, { signal });
      if (found === undefined) {
        this.#there = null;
        return undefined;
      }
      const report = capture.report === undefined ? undefined : await this.#inspect(file);
      const study = report?.intact === true ? studyContent(report) : undefined;
      // Damaged, or wholly contained in what replaces it: nothing would be lost with it.
      const damaged = report?.intact === false;
      const contained =
        study !== undefined && capture.report !== undefined && containsStudy(capture.report.trialDigests, study);
      if (damaged || contained) {
        this.#there = { sha256: found.sha256, study: contained ? study : null };
        rmSync(file, { force: true });
        return undefined;
      }
      const chunkBytes = report === undefined ? CHUNK_BYTES : DATABASE_CHUNK_BYTES;
      const digest = await digestFile(file, Infinity, signal, chunkBytes);
      return {
        target: this.#target,
        sequence: 0,
        kind: 'file',
        files: [{ path: '', source: file, digest, modifiedAt: Date.now() }],
        bytes: digest.bytes,
        takenAt: Date.now(),
        full: true,
        report,
        study,
        skipped: [],
        costMs: 0,
      };
    } catch (error) {
      rmSync(file, { force: true });
      throw error;
    }
  }

  /** Undefined where the mirror holds finished trials that this state lacks, and so was left as it is. */
  async write(
    capture: Capture,
    manifest: Manifest,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly bytes: number; readonly requests: number; readonly confirmation: Confirmation } | undefined> {
    const before = this.#there?.study;
    if (before !== undefined && before !== null) {
      if (capture.report === undefined || !containsStudy(capture.report.trialDigests, before)) return undefined;
    }
    let bytes = 0;
    let requests = 0;
    let confirmation: Confirmation = this.#destination.traits.confirms;
    const limits: AtOnce<CapturedFile> = {
      most: Math.min(FILES_AT_ONCE, callsAtOnce(this.#destination)),
      weigh: ({ digest }) => digest.bytes,
      room: FILES_ROOM_BYTES,
    };
    await eachAtOnce(capture.files, limits, async ({ path, source, digest }) => {
      const key = path === '' ? this.#target : `${this.#target}/${path}`;
      if (this.#sent.get(key) === digest.sha256) return;
      const body = { file: source, bytes: digest.bytes };
      const receipt = await this.#destination.put(key, body, { sha256: digest.sha256, signal });
      this.#sent.set(key, digest.sha256);
      if (receipt.confirmation === 'handedToMount') confirmation = 'handedToMount';
      bytes += digest.bytes;
      requests++;
    });
    this.know(manifest);
    return { bytes, requests, confirmation };
  }
}
