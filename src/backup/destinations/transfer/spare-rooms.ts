/** Buffers that are used again, as long as no garbage collection has taken them: large ones would pile up until the next. */
class SpareRooms {
  #spare: WeakRef<Buffer>[] = [];

  /** A buffer of exactly so many bytes, with anything in it. */
  take(bytes: number): Buffer {
    const left = this.#spare.map((room) => room.deref()).filter((room) => room !== undefined);
    const room = left.find((other) => other.length === bytes);
    this.#spare = left.filter((other) => other !== room).map((other) => new WeakRef(other));
    return room ?? Buffer.allocUnsafeSlow(bytes);
  }

  /** To be called once nobody reads the buffer any more. */
  giveBack(room: Buffer): void {
    this.#spare.push(new WeakRef(room));
  }
}

/** Those of this process, for parts of large files. */
export const spareRooms = new SpareRooms();
