import { createHash } from 'node:crypto';

/** Numbers and bytes that follow from a seed. */
export class Random {
  #state: number;
  readonly #seed: string;

  constructor(seed: string) {
    this.#seed = seed;
    this.#state = createHash('sha256').update(seed).digest().readUInt32LE();
  }

  /** From 0 to below `end`: mulberry32. */
  below(end: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * end);
  }

  chance(probability: number): boolean {
    return this.below(1_000_000) < probability * 1_000_000;
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)] as Item;
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.below(256)));
  }

  /** Bytes that depend on the seed and the name alone. */
  fixed(name: string, length = 32): Buffer {
    const blocks: Buffer[] = [];
    for (let index = 0; index * 32 < length; index++)
      blocks.push(createHash('sha256').update(`${this.#seed} ${name} ${index}`).digest());
    return Buffer.concat(blocks).subarray(0, length);
  }
}
