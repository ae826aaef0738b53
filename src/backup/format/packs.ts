import type { Destination, StoredObject } from '../destinations/destination.js';
import { STORE } from '../destinations/object-key.js';

const FOLDER = `${STORE}/packs/`;
const NAME = /^([0-9a-f]{64})\.pack$/;

/** A pack at a destination. */
export interface StoredPack extends StoredObject {
  readonly sha256: string;
}

export function packKey(sha256: string): string {
  return `${FOLDER}${sha256}.pack`;
}

export async function listPacks(destination: Destination, signal?: AbortSignal): Promise<StoredPack[]> {
  const { objects } = await destination.list(FOLDER, { signal });
  return objects.flatMap((object) => {
    const sha256 = NAME.exec(object.key.slice(FOLDER.length))?.[1];
    return sha256 === undefined ? [] : [{ ...object, sha256 }];
  });
}
