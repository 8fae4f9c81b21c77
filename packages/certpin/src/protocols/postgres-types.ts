/**
 * After the login, postgres.js asks for the array types of the database, on behalf of the first query (fetchArrayTypes in
 * lib/connection.js). Where that question fails, nobody catches the error, and the process ends: whoever can reset a connection could
 * end it. So the driver never hears of a failure during that question. It hears that the question is over, without a row, and then, as
 * the error of the first query, what happened.
 */
export interface TypeQueryWatch {
  fromDriver(bytes: Buffer): Buffer;
  fromServer(bytes: Buffer): Buffer;
  /** What the driver has to read before it hears that the connection is over. */
  end(): Buffer;
}

/** Where a message begins: its type 1, and its length 4, which counts itself (PostgreSQL documentation, "Message Formats"). */
const HEADER_BYTES = 5;

const READY = 'Z'.charCodeAt(0);
const ERROR = 'E'.charCodeAt(0);

/** ReadyForQuery: idle. */
const READY_FOR_QUERY: Buffer = Buffer.from([READY, 0, 0, 0, 5, 'I'.charCodeAt(0)]);

/** Of the question's text, what no other query of the driver holds. */
const TYPE_QUERY = 'select b.oid, b.typarray';
/** Where a server says less of itself, this is asked before (`target_session_attrs`). */
const STATE_QUERY = 'show transaction_read_only';

const NOTHING: Buffer = Buffer.alloc(0);

export function createTypeQueryWatch(): TypeQueryWatch {
  let state: 'login' | 'ready' | 'asked' | 'over' = 'login';
  // The beginning of a message, kept back: what {@link TypeQueryWatch.end} gives has to follow a whole one.
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

/** What the verified server says of its failure: fields of a letter and a text (PostgreSQL documentation, "Error Fields"). */
function readError(fields: Buffer): Error {
  const texts = fields.toString().split('\0');
  const textOf = (letter: string): string | undefined => texts.find((text) => text.startsWith(letter))?.slice(1);
  return Object.assign(new Error(textOf('M') ?? 'the server refuses the first question'), { code: textOf('C') });
}
