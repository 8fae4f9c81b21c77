/** Payload length 3, sequence number 1 (MySQL client/server protocol, "MySQL Packets"). */
export const HEADER_BYTES = 4;

/** Cuts one direction of a MySQL connection into its packets, whatever the pieces in which they come. */
export class PacketReader {
  /** The bytes after the packets that were taken. */
  rest: Buffer = Buffer.alloc(0);

  /**
   * The packets that `bytes` complete, in a copy that can be changed. Each is removed from {@link rest} when it is taken.
   *
   * @param tooLong the error for a packet that is longer than `maxBytes`
   * @param shift is added to the sequence numbers, modulo 256, as in the protocol
   */
  *read(bytes: Uint8Array, maxBytes: number, tooLong: () => Error, shift = 0): Generator<Buffer, void> {
    this.rest = Buffer.concat([this.rest, bytes]);
    while (this.rest.length >= HEADER_BYTES) {
      const end = HEADER_BYTES + this.rest.readUIntLE(0, 3);
      if (end > maxBytes) throw tooLong();
      if (this.rest.length < end) return;
      const packet = this.rest.subarray(0, end);
      this.rest = this.rest.subarray(end);
      packet[3] = (packet[3] as number) + shift;
      yield packet;
    }
  }
}
