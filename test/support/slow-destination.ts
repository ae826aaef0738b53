import type {
  DestinationError,
  CallOptions,
  Destination,
  DestinationTraits,
  Listing,
  ObjectBody,
  ObjectChecksum,
  PutOptions,
  PutReceipt,
} from '../../src/backup/destinations/destination.js';

/** How a destination misbehaves, settable while it is in use. */
export interface Behaviour {
  /** Added to every call. */
  delayMs: number;
  /** Calls never return; not even at the signal. */
  hangs: boolean;
  /** Every call fails like this. */
  fails: DestinationError | undefined;
  /** Counts calls. */
  calls: number;
  underWay: number;
  /** Calls that overlapped. */
  mostUnderWay: number;
}

/** A destination in front of a real one, with the faults of a bad network. */
export class SlowDestination implements Destination {
  readonly behaviour: Behaviour = {
    delayMs: 0,
    hangs: false,
    fails: undefined,
    calls: 0,
    underWay: 0,
    mostUnderWay: 0,
  };
  readonly #inner: Destination;
  readonly #traits: Partial<DestinationTraits>;
  readonly type: string;
  readonly name: string;
  readonly location: string;

  constructor(inner: Destination, behaviour: Partial<Behaviour> = {}, traits: Partial<DestinationTraits> = {}) {
    this.#inner = inner;
    this.#traits = traits;
    this.type = inner.type;
    this.name = inner.name;
    this.location = inner.location;
    Object.assign(this.behaviour, behaviour);
  }

  get traits() {
    return { ...this.#inner.traits, ...this.#traits };
  }

  get localFolder() {
    return this.#inner.localFolder;
  }

  check(options?: CallOptions): Promise<void> {
    return this.#late(() => this.#inner.check(options));
  }

  put(key: string, body: ObjectBody, options: PutOptions): Promise<PutReceipt> {
    return this.#late(() => this.#inner.put(key, body, options));
  }

  get(key: string, options?: CallOptions): Promise<Uint8Array | undefined> {
    return this.#late(() => this.#inner.get(key, options));
  }

  download(key: string, file: string, options?: CallOptions): Promise<ObjectChecksum | undefined> {
    return this.#late(() => this.#inner.download(key, file, options));
  }

  checksum(key: string, options?: CallOptions): Promise<ObjectChecksum | undefined> {
    return this.#late(() => this.#inner.checksum(key, options));
  }

  list(prefix: string, options?: CallOptions): Promise<Listing> {
    return this.#late(() => this.#inner.list(prefix, options));
  }

  remove(key: string, options?: CallOptions): Promise<void> {
    return this.#late(() => this.#inner.remove(key, options));
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  async #late<T>(call: () => Promise<T>): Promise<T> {
    const { behaviour } = this;
    behaviour.calls++;
    if (behaviour.hangs) return new Promise<T>(() => undefined);
    behaviour.underWay++;
    behaviour.mostUnderWay = Math.max(behaviour.mostUnderWay, behaviour.underWay);
    try {
      if (behaviour.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, behaviour.delayMs));
      if (behaviour.fails !== undefined) throw behaviour.fails;
      return await call();
    } finally {
      behaviour.underWay--;
    }
  }
}
