/** Payload length 3, sequence number 1 (MySQL client/server protocol, "MySQL Packets"). */
export const HEADER_BYTES = 4;

/** One direction of a MySQL connection: finds the packets in a stream, in whatever pieces it comes, and renumbers them. */
export class MysqlPackets {
  readonly #shift: number;
  /** How much of the header of the current packet was read. */
  #header = 0;
  /** Bytes of its payload still to come. */
  #left = 0;
  #atFirst = false;
  #ending = false;
  /** Whether the last packet to be renumbered was seen to its end. */
  ended = false;

  constructor(shift: 1 | -1) {
    this.#shift = shift;
  }

  /**
   * Changes the sequence number in every header. Keeps nothing but its place.
   *
   * @param isLast given the first byte of a payload, whether nothing is renumbered behind this packet
   */
  renumber(bytes: Uint8Array, isLast?: (first: number) => boolean): Uint8Array {
    const changed = Buffer.from(bytes);
    let at = 0;
    while (at < changed.length && !this.ended) {
      if (this.#header < HEADER_BYTES) {
        const byte = changed[at] as number;
        if (this.#header < 3) this.#left |= byte << (8 * this.#header);
        else changed[at] = (byte + this.#shift) & 0xff;
        this.#header++;
        at++;
        this.#atFirst = this.#header === HEADER_BYTES;
      } else {
        if (this.#atFirst && this.#left > 0) this.#ending = isLast?.(changed[at] as number) ?? false;
        this.#atFirst = false;
        const step = Math.min(this.#left, changed.length - at);
        this.#left -= step;
        at += step;
      }
      if (this.#header === HEADER_BYTES && this.#left === 0) this.#finishPacket();
    }
    return changed;
  }

  #finishPacket(): void {
    this.#header = 0;
    this.ended = this.#ending;
  }
}
