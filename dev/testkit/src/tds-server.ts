import { createServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { asTdsServer, recordsOf } from './tds-envelope.ts';
import {
  createMessageReader,
  encryption,
  inPackets,
  packetTypes,
  preloginAnswer,
  readLogin,
  readQuestion,
  readStatement,
  type TdsLogin,
  type TdsMessage,
  type TdsRows,
  tokens,
} from './tds-messages.ts';
import { type CountingServer, type CountingServerOptions, credentials, observeServer } from './tls-server.ts';

export interface TdsServerOptions extends Omit<CountingServerOptions, 'onSocket'> {
  /** The ENCRYPTION of its answer. Default: on. A server that does not encrypt continues in plaintext. */
  readonly answer?: number;
  /** In place of its answer. */
  readonly says?: Buffer;
  /** Follows its answer, in the same packet of the network. */
  readonly injects?: Buffer;
  /** Follows its last flight of the handshake, in plaintext, in the same packet of the network. */
  readonly behind?: Buffer;
  /** TDS 8: TLS comes first. */
  readonly strict?: boolean;
  /** What a login needs. Default: any. */
  readonly password?: string;
  /** The result of a statement: rows, a number of rows, or the number of an error. Default: the last of its values. */
  readonly run?: (sql: string, values: readonly string[]) => TdsRows | number | { readonly error: number };
  /** The server to which logins are redirected. */
  readonly routesTo?: { readonly host: string; readonly port: number };
}

/** A scripted SQL Server. It also counts what it receives outside of TLS, except PRELOGIN. */
export interface TdsServer extends CountingServer {
  readonly logins: readonly TdsLogin[];
  /** PRELOGIN, as each client said it. */
  readonly prelogins: readonly Buffer[];
  /** Bytes of each TLS record that clients have sent after the handshake. */
  readonly records: readonly number[];
}

/** Starts a SQL Server of TDS 7.4, or TDS 8, that returns the text that it is asked for. */
export async function startTdsServer(options: TdsServerOptions): Promise<TdsServer> {
  const {
    certificate,
    host,
    port,
    answer = encryption.on,
    says,
    injects,
    behind,
    strict,
    password,
    routesTo,
    run,
    ...tls
  } = options;
  const logins: TdsLogin[] = [];
  const prelogins: Buffer[] = [];
  const records: number[] = [];
  let plaintext: Buffer[] = [];

  /** What a client and this server say in plaintext, inside TLS or without it. */
  const serve = (stream: Duplex): void => {
    let packetSize = 4096;
    const reply = (content: Buffer): void => void stream.write(inPackets(packetTypes.answer, content, packetSize));
    const take = (message: TdsMessage): void => {
      if (message.type === packetTypes.prelogin) {
        prelogins.push(message.content);
        stream.write(preloginAnswer(answer, message.content));
      } else if (message.type === packetTypes.login) {
        const login = readLogin(message.content);
        logins.push(login);
        if (password !== undefined && login.password !== password && login.federated === undefined)
          reply(tokens.failed(18_456, `Login failed for user '${login.user}'.`));
        else if (routesTo !== undefined) reply(tokens.routed(routesTo.host, routesTo.port));
        else {
          reply(tokens.loggedIn(login.database || 'master', login.packetSize, login.federated !== undefined));
          packetSize = login.packetSize;
        }
      } else if (message.type === packetTypes.attention) reply(tokens.attention());
      else if (message.type === packetTypes.rpc)
        reply(run === undefined ? tokens.procedure(readQuestion(message)) : answerOf(run, message));
      else reply(tokens.batch(readQuestion(message)));
    };
    stream.on('data', createMessageReader(take)).on('error', () => undefined);
  };

  // In packets of TDS, a handshake of TLS 1.3 has no place: its last message is the client's.
  const own: TlsOptions = strict ? { ALPNProtocols: ['tds/8.0'] } : { maxVersion: 'TLSv1.2' };
  const tlsServer = createTlsServer({ ...credentials(certificate), ...own, ...tls });
  tlsServer.on('secureConnection', serve);

  /** Data that continues in plaintext, and counts. */
  const serveInClear = (socket: Socket): void => {
    const counted = plaintext;
    socket.on('data', (chunk: Buffer) => counted.push(chunk));
    serve(socket);
  };
  const front = createServer({ noDelay: true }, (socket: Socket) => {
    if (strict) return void tlsServer.emit('connection', socket);
    const takePrelogin = (): void => {
      const request = socket.read() as Buffer | null;
      if (request === null) return;
      if (request[0] !== packetTypes.prelogin || request.length !== request.readUInt16BE(2))
        return void socket.destroy();
      socket.off('readable', takePrelogin);
      prelogins.push(request.subarray(8));
      const said = says ?? preloginAnswer(answer, request.subarray(8));
      socket.write(Buffer.concat([said, injects ?? Buffer.alloc(0)]));
      if (answer === encryption.on || answer === encryption.required) {
        socket.on('data', (chunk: Buffer) => noteRecords(chunk, records));
        tlsServer.emit('connection', asTdsServer(socket, { contents: [4088], leaves: true, behind }));
      } else serveInClear(socket);
    };
    socket.on('readable', takePrelogin);
  });
  const server = await observeServer(tlsServer, front, host, port);
  return {
    ...server,
    ...{ logins, prelogins, records },
    received: () => server.received() + Buffer.concat(plaintext).length,
    receivedText: () => server.receivedText() + Buffer.concat(plaintext).toString('latin1'),
    forget: () => {
      plaintext = [];
      server.forget();
    },
    present: (minted) => {
      plaintext = [];
      server.present(minted);
    },
  };
}

function answerOf(run: NonNullable<TdsServerOptions['run']>, message: TdsMessage): Buffer {
  const { sql, values } = readStatement(message);
  const result = run(sql, values);
  return typeof result === 'object' && 'error' in result
    ? tokens.failed(result.error, 'a scripted error')
    : tokens.result(result);
}

/** The first byte of a record that a client sends after the handshake. */
const APPLICATION_DATA = 0x17;

function noteRecords(chunk: Buffer, records: number[]): void {
  if (chunk[0] !== APPLICATION_DATA) return;
  for (const { length } of recordsOf(chunk)) records.push(length);
}
