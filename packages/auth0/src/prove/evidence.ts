/** What arrived at an impostor. */
export interface Arrival {
  /** Application bytes: everything except requests for TLS, and TLS itself. */
  readonly bytes: number;
  /** What the bytes were, as far as they were understood: `user name`, `password`, `query`, `request` … */
  readonly kinds: readonly string[];
  /** TLS handshakes that the script completed with it. */
  readonly handshakes: number;
  readonly connections: number;
  /** Connections on which, at the end of the time, the script had neither sent anything nor given up. */
  readonly undecided: number;
  /** Why no handshake could show what the script checks: no cipher or no version of TLS in common. */
  readonly disagreement: string | null;
  /** Whether the script threw an exception that nobody caught, before anything arrived. Most likely, its check threw it. */
  readonly threwBefore: boolean;
}

/** A value that the run was given. It is looked for in what arrives. */
export interface KnownValue {
  readonly label: string;
  readonly value: string;
}

/** Shorter values would be found by chance. */
export const SHORTEST = 4;

/** Counts what an impostor receives. The bytes themselves are read but not kept: a report never repeats them. */
export class Evidence {
  private bytes = 0;
  /** When the first byte was counted, by {@link now}. */
  private since = Number.POSITIVE_INFINITY;
  private readonly kinds = new Set<string>();
  handshakes = 0;
  private connections = 0;
  /** Connections that are still open. */
  private open = 0;
  private undecided = 0;
  private isClosed = false;
  disagreement: string | null = null;
  private threwBefore = false;
  private readonly known: readonly { readonly label: string; readonly spellings: readonly string[] }[];
  private tail = '';

  constructor(known: readonly KnownValue[]) {
    this.known = known
      .filter(({ value }) => value.length >= SHORTEST)
      .map(({ label, value }) => ({ label, spellings: spell(value) }));
  }

  /** A connection has come. If it comes after the end of the waiting, it had no time to send anything. */
  arrive(socket: { on(event: 'close', listener: () => void): unknown }): void {
    this.connections++;
    this.open++;
    socket.on('close', () => this.open--);
    if (this.isClosed && this.bytes === 0) this.undecided++;
  }

  /** Application bytes. */
  count(chunk: Uint8Array): void {
    this.add(chunk.length);
    const text = this.tail + Buffer.from(chunk).toString('latin1');
    for (const { label, spellings } of this.known) {
      if (spellings.some((spelling) => text.includes(spelling))) this.kinds.add(label);
    }
    this.tail = text.slice(-4096); // A packet may cut a value.
  }

  /**
   * The name that a script asks for goes over the network in plaintext, before any certificate. A name with a value in it counts as sent
   * data.
   */
  hearName(name: string): void {
    const carried = this.known.filter(({ spellings }) => spellings.some((spelling) => name.includes(spelling)));
    if (carried.length > 0) this.add(name.length);
    for (const { label } of carried) this.kinds.add(`${label}, in the name that is asked for`);
  }

  /** Application bytes that cannot be read. */
  countSealed(bytes: number): void {
    this.add(bytes);
    if (bytes > 0) this.kinds.add('encrypted data');
  }

  private add(bytes: number): void {
    if (this.bytes === 0 && bytes > 0) this.since = now();
    this.bytes += bytes;
  }

  see(kind: string): void {
    this.kinds.add(kind);
  }

  /**
   * @param thrownAt by the clock of {@link now}. The time at which the message arrives does not help: it comes on a channel of its own,
   * which may be read after bytes that were sent later
   */
  seeException(thrownAt: number): void {
    this.threwBefore ||= thrownAt < this.since;
  }

  /** Nothing more is waited for. */
  close(): void {
    this.isClosed = true;
    this.undecided = this.bytes === 0 ? this.open : 0;
  }

  sum(): Arrival {
    const { bytes, handshakes, connections, undecided, disagreement, threwBefore } = this;
    return { bytes, kinds: [...this.kinds].sort(), handshakes, connections, undecided, disagreement, threwBefore };
  }
}

/** Nanoseconds on a clock that all processes of a machine share. */
function now(): number {
  return Number(process.hrtime.bigint());
}

/** A value as it is, in JSON, in a URL, in hexadecimal, and in base64 at its three offsets. */
export function spell(value: string): string[] {
  const json = JSON.stringify(value).slice(1, -1);
  const bytes = Buffer.from(value);
  const base64 = [0, 1, 2].map((offset) =>
    Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64')
      .slice(offset === 0 ? 0 : offset + 1)
      .replace(/=+$/, '')
      .slice(0, -1),
  );
  const spellings = [
    value,
    json,
    encodeURIComponent(value),
    bytes.toString('hex'),
    ...base64.filter((text) => text.length >= SHORTEST),
  ];
  return [...new Set(spellings.map((text) => Buffer.from(text).toString('latin1')))];
}
