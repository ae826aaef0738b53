import { createHash } from 'node:crypto';

/*
 * Names of release assets. GitHub changes names with other characters than letters, digits, `.`, `-` and `_`, and a name is unique in
 * its release. An object's key becomes `<folder>__<name>__<version>-<part>-<parts>`: the folder as 16 hex digits of its SHA-256, the
 * name with every other byte (capitals too) as `_` and two hex digits. What cannot be read back from that, paths of folders and long
 * names, stands in objects of its own (`LABELS`). A replaced object gets the next version: the new one is whole before the old one goes.
 */

/** Folder code of objects that hold the text behind a code: of a folder, or of a long name. */
export const LABELS = 'label';

const LONGEST = 120;
const FULL = /^([a-z0-9]+)__((?:[a-z0-9.-]|_[0-9a-f]{2}|_h[0-9a-f]{32})+)__(\d+)-(\d+)-(\d+)$/;
const encoder = new TextEncoder();

export interface AssetName {
  readonly folder: string;
  readonly segment: string;
  readonly version: number;
  /** From 1. */
  readonly part: number;
  readonly parts: number;
}

/** Code of a folder, given without a last `/`. */
export function folderCode(folder: string): string {
  return codeOf(folder).slice(0, 16);
}

/** The name of an object in its folder as part of an asset's name. */
export function segmentCode(name: string): string {
  const bytes = [...encoder.encode(name)];
  const encoded = bytes
    .map((byte, index) => {
      const character = String.fromCharCode(byte);
      const isPlainDot = character === '.' && index > 0 && index < bytes.length - 1 && bytes[index - 1] !== byte;
      return /[a-z0-9-]/.test(character) || isPlainDot ? character : `_${byte.toString(16).padStart(2, '0')}`;
    })
    .join('');
  return encoded.length <= LONGEST ? encoded : `_h${codeOf(name).slice(0, 32)}`;
}

/** The name behind a segment; undefined where it is a long one. */
export function segmentName(code: string): string | undefined {
  if (code.startsWith('_h')) return undefined;
  const bytes: number[] = [];
  for (let at = 0; at < code.length; at++) {
    if (code[at] === '_') {
      bytes.push(Number.parseInt(code.slice(at + 1, at + 3), 16));
      at += 2;
    } else bytes.push(code.charCodeAt(at));
  }
  return Buffer.from(bytes).toString('utf8');
}

export function formatAssetName({ folder, segment, version, part, parts }: AssetName): string {
  return `${folder}__${segment}__${version}-${part}-${parts}`;
}

/** Undefined for an asset that is none of ours. */
export function parseAssetName(name: string): AssetName | undefined {
  const [, folder = '', segment = '', version, part, parts] = FULL.exec(name) ?? [];
  if (version === undefined) return undefined;
  return { folder, segment, version: Number(version), part: Number(part), parts: Number(parts) };
}

/** Folder and name of a key. */
export function splitKey(key: string): { readonly folder: string; readonly name: string } {
  const at = key.lastIndexOf('/');
  return { folder: at < 0 ? '' : key.slice(0, at), name: key.slice(at + 1) };
}

function codeOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
