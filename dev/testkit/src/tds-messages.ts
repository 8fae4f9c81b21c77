// What a SQL Server says and reads (MS-TDS §2.2), written without the library's own reader and writer.

/** Types of packets. */
export const packetTypes = { batch: 1, rpc: 3, answer: 4, attention: 6, login: 0x10, prelogin: 0x12 } as const;

/** What ENCRYPTION may say in PRELOGIN (MS-TDS §2.2.6.5). */
export const encryption = { off: 0, on: 1, notSupported: 2, required: 3 } as const;

const FEDAUTHREQUIRED = 6;

const collation = Buffer.from([0x09, 0x04, 0xd0, 0x00, 0x34]);
const u16 = (value: number): Buffer => Buffer.from([value & 0xff, value >> 8]);
const u32 = (value: number): Buffer => Buffer.concat([u16(value & 0xffff), u16(value >>> 16)]);
const wide = (text: string): Buffer => Buffer.from(text, 'utf16le');
/** A text with its length in characters, in one byte or two. */
const short = (text: string): Buffer => Buffer.concat([Buffer.from([text.length]), wide(text)]);
const long = (text: string): Buffer => Buffer.concat([u16(text.length), wide(text)]);
const token = (type: number, ...content: Buffer[]): Buffer => {
  const all = Buffer.concat(content);
  return Buffer.concat([Buffer.from([type]), u16(all.length), all]);
};
const done = (type: number, status: number, rows: number): Buffer =>
  Buffer.concat([Buffer.from([type]), u16(status), u16(0), u32(rows), u32(0)]);

const NVARCHAR = 0xe7;
const BITN = 0x68;
const nvarchar = Buffer.concat([Buffer.from([NVARCHAR]), u16(8000), collation]);

/** Rows of texts, by their columns. */
export type TdsRows = readonly Readonly<Record<string, string>>[];

const oneRow = (answer: string): Buffer => table([{ answer }]);

function table(rows: TdsRows): Buffer {
  const names = Object.keys(rows[0] ?? {});
  const columns = names.map((name) => Buffer.concat([u32(0), u16(8), nvarchar, short(name)]));
  const cells = rows.flatMap((row) => [
    Buffer.from([0xd1]),
    ...names.flatMap((name) => [u16((row[name] ?? '').length * 2), wide(row[name] ?? '')]),
  ]);
  return Buffer.concat([Buffer.from([0x81]), u16(names.length), ...columns, ...cells]);
}

/** Answers of a server. */
export const tokens = {
  /** The answer to a batch: a row, or none. */
  batch: (answer: string | undefined): Buffer =>
    answer === undefined ? done(0xfd, 0, 0) : Buffer.concat([oneRow(answer), done(0xfd, 0x10, 1)]),
  /** The answer to a procedure: the same, a return status, and its end. */
  procedure: (answer: string | undefined): Buffer =>
    Buffer.concat([
      ...(answer === undefined ? [] : [oneRow(answer), done(0xff, 0x11, 1)]),
      Buffer.from([0x79]),
      u32(0),
      done(0xfe, 0, 0),
    ]),
  /** The answer to a procedure: these rows, or a number of changed rows. */
  result: (result: TdsRows | number): Buffer => {
    const count = typeof result === 'number' ? result : result.length;
    const rows = typeof result === 'number' || count === 0 ? [] : [table(result)];
    return Buffer.concat([...rows, done(0xff, 0x11, count), Buffer.from([0x79]), u32(0), done(0xfe, 0, 0)]);
  },
  attention: (): Buffer => done(0xfd, 0x20, 0),
  /** @param ofToken whether the login asked for the acknowledgement of a token */
  loggedIn: (database: string, packetSize: number, ofToken: boolean): Buffer =>
    Buffer.concat([
      token(0xe3, Buffer.from([1]), short(database), short('master')),
      token(0xe3, Buffer.from([7, collation.length]), collation, Buffer.from([0])),
      token(0xe3, Buffer.from([4]), short(String(packetSize)), short('4096')),
      token(0xad, Buffer.from([1, 0x74, 0, 0, 4]), short('Scripted SQL Server'), Buffer.from([16, 0, 0x10, 0])),
      ...(ofToken ? [Buffer.from([0xae, 2, 0, 0, 0, 0, 0xff])] : []),
      done(0xfd, 0, 0),
    ]),
  /** A redirect: the login continues at another server. */
  routed: (host: string, port: number): Buffer => {
    const place = Buffer.concat([Buffer.from([0]), u16(port), long(host)]);
    const login = token(
      0xad,
      Buffer.from([1, 0x74, 0, 0, 4]),
      short('Scripted SQL Server'),
      Buffer.from([16, 0, 0x10, 0]),
    );
    return Buffer.concat([login, token(0xe3, Buffer.from([20]), u16(place.length), place, u16(0)), done(0xfd, 0, 0)]);
  },
  failed: (number: number, message: string): Buffer =>
    Buffer.concat([
      token(0xaa, u32(number), Buffer.from([1, 14]), long(message), short('scripted'), short(''), u32(1)),
      done(0xfd, 2, 0),
    ]),
};

/** A message in packets of limited size. */
export function inPackets(type: number, message: Buffer, packetSize = 4096): Buffer {
  const packets: Buffer[] = [];
  const step = packetSize - 8;
  for (let at = 0; at === 0 || at < message.length; at += step) {
    const content = message.subarray(at, at + step);
    const header = Buffer.from([type, at + step < message.length ? 0 : 1, 0, 0, 0, 51, packets.length + 1, 0]);
    header.writeUInt16BE(8 + content.length, 2);
    packets.push(Buffer.concat([header, content]));
  }
  return Buffer.concat(packets);
}

export interface TdsMessage {
  readonly type: number;
  readonly content: Buffer;
}

/** Joins messages, whatever the pieces. */
export function createMessageReader(take: (message: TdsMessage) => void): (chunk: Buffer) => void {
  let waiting: Buffer = Buffer.alloc(0);
  let contents: Buffer[] = [];
  return (chunk) => {
    waiting = Buffer.concat([waiting, chunk]);
    while (waiting.length >= 8 && waiting.length >= Math.max(8, waiting.readUInt16BE(2))) {
      const length = Math.max(8, waiting.readUInt16BE(2));
      const [type = 0, status = 0] = waiting;
      contents.push(waiting.subarray(8, length));
      waiting = waiting.subarray(length);
      if ((status & 1) === 0) continue;
      const content = Buffer.concat(contents);
      contents = [];
      take({ type, content });
    }
  };
}

export interface TdsLogin {
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** The server name that the client uses. */
  readonly server: string;
  readonly packetSize: number;
  /** The data of a login with a token, unchanged. */
  readonly federated: Buffer | undefined;
}

/** LOGIN7 (§2.2.6.4). */
export function readLogin(content: Buffer): TdsLogin {
  const bytesAt = (at: number): Buffer => {
    const start = content.readUInt16LE(at);
    return content.subarray(start, start + 2 * content.readUInt16LE(at + 2));
  };
  const text = (at: number): string => bytesAt(at).toString('utf16le');
  const password = Buffer.from(bytesAt(44)).map((byte) => swapNibbles(byte ^ 0xa5));
  return {
    packetSize: content.readUInt32LE(8),
    user: text(40),
    password: Buffer.from(password).toString('utf16le'),
    server: text(52),
    database: text(68),
    federated: readFederated(content),
  };
}

const swapNibbles = (byte: number): number => ((byte << 4) | (byte >> 4)) & 0xff;

function readFederated(content: Buffer): Buffer | undefined {
  const hasExtension = ((content[27] ?? 0) & 0x10) !== 0;
  if (!hasExtension) return undefined;
  let at = content.readUInt32LE(content.readUInt16LE(56));
  while (content[at] !== 0xff && at < content.length) {
    const length = content.readUInt32LE(at + 1);
    if (content[at] === 2) return content.subarray(at + 5, at + 5 + length);
    at += 5 + length;
  }
  return undefined;
}

/** ALL_HEADERS stand first. */
const behindHeaders = (content: Buffer): Buffer => content.subarray(content.readUInt32LE(0));

/** A statement of `sp_executesql`, and its values. */
export function readStatement({ content }: TdsMessage): { readonly sql: string; readonly values: readonly string[] } {
  const [sql = '', , ...values] = readValues(behindHeaders(content));
  return { sql, values };
}

/**
 * What a client asks for. It is the last text in quotes or, with `sp_executesql`, the last value after its statement. It is also a function
 * of the server by its name, which typeorm asks for the schema.
 */
export function readQuestion({ type, content }: TdsMessage): string | undefined {
  const body = behindHeaders(content);
  const values = type === packetTypes.batch ? [body.toString('utf16le')] : readValues(body);
  if (values.length > 1) return values.at(-1);
  const [, text, called] = /'([^']*)'[^']*$|^SELECT (\w+)\(\)/.exec(values[0] ?? '') ?? [];
  return text ?? called;
}

/**
 * The parameters of a procedure, after its name or number, and flags. Each has its name, a status, NVARCHAR with size and collation, and
 * its length. Only values that are short enough to be in one piece are read. A bit is '0' or '1'.
 */
function readValues(body: Buffer): string[] {
  const values: string[] = [];
  const name = body.readUInt16LE(0);
  for (let at = 2 + (name === 0xffff ? 2 : 2 * name) + 2; at < body.length; ) {
    at += 1 + 2 * (body[at] as number) + 1;
    if (body[at] === BITN) {
      values.push(String(body[at + 3] ?? ''));
      at += 3 + (body[at + 2] as number);
      continue;
    }
    if (body[at] !== NVARCHAR || body.readUInt16LE(at + 1) === 0xffff) break;
    at += 8;
    const length = body.readUInt16LE(at);
    values.push(body.subarray(at + 2, at + 2 + length).toString('utf16le'));
    at += 2 + length;
  }
  return values;
}

/** The answer of MS-TDS §4.2. Its FEDAUTHREQUIRED is the client's. */
export function preloginAnswer(answer: number, request: Buffer = Buffer.of(0xff)): Buffer {
  let federated: number | undefined;
  for (let at = 0; request[at] !== 0xff && at < request.length; at += 5)
    if (request[at] === FEDAUTHREQUIRED) federated = request[request.readUInt16BE(at + 1)];
  const table = '00001f0006 0100250001 0200260001 0300270000 0400270001 0600280001 ff'.replaceAll(' ', '');
  const values = Buffer.from([16, 0, 0x10, 0, 0, 0, answer, 0, 0, federated ?? 0]);
  return inPackets(packetTypes.answer, Buffer.concat([Buffer.from(table, 'hex'), values]));
}
