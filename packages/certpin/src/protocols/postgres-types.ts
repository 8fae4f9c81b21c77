/**
 * After the login, postgres.js asks for the array types of the database, as part of the first query (fetchArrayTypes in lib/connection.js).
 * If that question fails, nobody catches the error, and the process ends. So anybody who can reset a connection could end the process. For
 * this reason, the driver does not get a failure during that question. It first gets an end of the question without a row. Then it gets the
 * failure as the error of the first query.
 */
export interface TypeQueryWatch {
  fromDriver(bytes: Buffer): Buffer;
  fromServer(bytes: Buffer): Buffer;
  /** What the driver must read before it learns that the connection has ended. */
  end(): Buffer;
}

/**
 * The start of a message: its type (1 byte), and its length (4 bytes), which counts itself (PostgreSQL documentation, "Message Formats").
 */
const HEADER_BYTES = 5;

const READY = 'Z'.charCodeAt(0);
const ERROR = 'E'.charCodeAt(0);

/** ReadyForQuery: idle. */
const READY_FOR_QUERY: Buffer = Buffer.from([READY, 0, 0, 0, 5, 'I'.charCodeAt(0)]);

/** A part of the question's text that no other query of the driver contains. */
const TYPE_QUERY = 'select b.oid, b.typarray';
/** If a server reports less about itself, this is asked before (`target_session_attrs`). */
const STATE_QUERY = 'show transaction_read_only';

const NOTHING: Buffer = Buffer.alloc(0);

export function createTypeQueryWatch(): TypeQueryWatch {
  let state: 'login' | 'ready' | 'asked' | 'over' = 'login';
  // The start of a message is kept back: what {@link TypeQueryWatch.end} gives must follow a complete message.
  let rest = NOTHING;

  const fromDriver = (bytes: Buffer): Buffer => {
    if (state === 'ready' && bytes.includes(TYPE_QUERY)) state = 'asked';
    else if (state === 'ready' && bytes.includes(STATE_QUERY)) state = 'login';
    else if (state === 'ready') state = 'over';
    return bytes;
  };

  const fromServer = (bytes: Buffer): Buffer => {
    const read = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
    let end = 0;
    while (state !== 'over' && read.length >= end + HEADER_BYTES) {
      const next = end + 1 + read.readUInt32BE(end + 1);
      if (next > read.length) break;
      if (state === 'asked' && read[end] === ERROR) throw readError(read.subarray(end + HEADER_BYTES, next));
      if (read[end] === READY) state = state === 'asked' ? 'over' : 'ready';
      end = next;
    }
    if (state === 'over') end = read.length;
    rest = read.subarray(end);
    return read.subarray(0, end);
  };

  const end = (): Buffer => {
    if (state !== 'asked') return NOTHING;
    state = 'over';
    return READY_FOR_QUERY;
  };
  return { fromDriver, fromServer, end };
}

/** What the verified server says about its failure: fields of a letter and a text (PostgreSQL documentation, "Error Fields"). */
function readError(fields: Buffer): Error {
  const texts = fields.toString().split('\0');
  const textOf = (letter: string): string | undefined => texts.find((text) => text.startsWith(letter))?.slice(1);
  return Object.assign(new Error(textOf('M') ?? 'the server refuses the first question'), { code: textOf('C') });
}
