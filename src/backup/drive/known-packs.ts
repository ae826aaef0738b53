import type { CallOptions, Destination } from '../destinations/destination.js';
import { loadManifest } from '../format/catalog.js';
import type { Manifest } from '../format/manifest.js';

/**
 * Which packs each manifest names, as this process wrote or read it. A manifest's name tells its content, so what was learnt holds for
 * good; whether the manifest is still there is another question. Each pack's name is kept once, however many manifests share it.
 */
export class KnownPacks {
  readonly #packs = new Map<string, readonly string[]>();
  readonly #names = new Map<string, string>();

  learn(destination: Destination, target: string, name: string, { packs }: Pick<Manifest, 'packs'>): readonly string[] {
    const shared = packs.map(({ sha256 }) => {
      const known = this.#names.get(sha256) ?? sha256;
      this.#names.set(sha256, known);
      return known;
    });
    this.#packs.set(keyOf(destination, target, name), shared);
    return shared;
  }

  /** SHA-256 of each pack. @throws as `loadManifest` */
  async of(destination: Destination, target: string, name: string, options?: CallOptions): Promise<readonly string[]> {
    return (
      this.#packs.get(keyOf(destination, target, name)) ??
      this.learn(destination, target, name, await loadManifest(destination, target, name, options))
    );
  }

  /** The manifest is gone. */
  forget(destination: Destination, target: string, name: string): void {
    this.#packs.delete(keyOf(destination, target, name));
  }

  /** Packs that are gone. */
  forgetPacks(gone: Iterable<string>): void {
    for (const sha256 of gone) this.#names.delete(sha256);
  }
}

function keyOf(destination: Destination, target: string, name: string): string {
  return `${destination.name}\n${target}\n${name}`;
}
