import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { CertpinError, optionInvalid } from '../errors.ts';
import { judgeLeaf } from '../leaf/judge.ts';
import type { LeafPolicy } from '../leaf/policy.ts';
import { demandTls } from '../protocols/mssql.ts';
import { injected, unexpected } from '../protocols/upgrade-errors.ts';
import { type ReadTls, readDriverConfig } from './driver-config.ts';
import { readTediousOptions, type TediousOptions } from './tedious-options.ts';

/** What is used of a connection of tedious 9.2 and newer (lib/connection.js): its configuration, its events, and its socket. */
interface TediousConnection extends EventEmitter {
  readonly config?: {
    readonly server: string;
    readonly options: {
      readonly port?: number;
      readonly encrypt?: unknown;
      readonly debug?: Partial<typeof DEBUG>;
      readonly connectTimeout?: number;
    };
  };
  readonly state?: { readonly name: string };
  readonly STATE?: { readonly SENT_PRELOGIN?: { readonly events: { readonly message?: unknown } } };
  readonly socket?: Socket;
  dispatchEvent?: (...event: unknown[]) => void;
}

/** `Connection` of tedious. */
export type TediousClass<Connection extends EventEmitter> = new (config: never) => Connection;

/**
 * Internal events of the driver, for each step of a connection. They contain the text of a login with the password, so nobody else gets
 * them.
 */
const DEBUG = { payload: true, packet: true, data: false, token: false };

/** OpenSSL 1.1.1 and newer have it. Not every Node has it among its constants. */
const SSL_OP_NO_RENEGOTIATION = 0x4000_0000;

/**
 * Makes and guards a connection of tedious 9.2 to 11, which takes no stream. The driver is told to make its own TLS, and reports the
 * server's answer. If the answer or the certificate is wrong, its socket is destroyed in the same tick. What the driver writes in that tick
 * and later goes nowhere.
 *
 * @param config the configuration of the driver
 * @param limitMs the limit of the driver's clock for connection and login together. 0: no limit
 * @throws CertpinError `ERR_OPTION_INVALID`, and `ERR_CLIENT_UNSUPPORTED` for a driver that does not report what is needed
 */
export function createTediousConnection<Connection extends EventEmitter>(
  Driver: TediousClass<Connection>,
  config: { readonly options?: object },
  policy: LeafPolicy,
  limitMs: number,
  readTls: ReadTls,
  where: string,
): Connection {
  const read = readDriverConfig(config, {}, where);
  const { given, tls, isStrict } = readTediousOptions(read.options as TediousOptions | undefined, {}, readTls, where);
  if (isStrict)
    throw optionInvalid('encrypt', `${where}: this tedious does not speak TDS 8; remove \`encrypt: 'strict'\``);
  const debug = (given as { debug?: unknown }).debug;
  if (given.serverName !== undefined || tls.servername !== undefined)
    throw optionInvalid(
      'serverName',
      `${where}: this tedious sends the host as the server name; remove \`serverName\``,
    );
  if (debug !== undefined)
    throw optionInvalid('debug', `${where}: debug output of the driver contains the login; remove \`debug\``);
  const made = new Driver({ ...read, options: driverOptions(given, tls, limitMs) } as never);
  guard(made as TediousConnection, policy);
  return made;
}

/** The secure context of the driver's own TLS. It verifies nothing, because the pin decides. Nobody else gets it. */
function driverOptions(options: TediousOptions, tls: ConnectionOptions, limitMs: number): object {
  const { connectTimeout: own = limitMs || undefined } = options;
  const connectTimeout = limitMs > 0 ? Math.min(own as number, limitMs) : own;
  const versions: ConnectionOptions = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' };
  // RFC 5746 renegotiation would change the certificate after the verdict.
  const cryptoCredentialsDetails = { ...tls, ...versions, secureOptions: SSL_OP_NO_RENEGOTIATION };
  // The ordinary verification must not end the handshake before the pin is checked.
  const ours = { encrypt: true, trustServerCertificate: true, cryptoCredentialsDetails, debug: DEBUG };
  return { ...options, ...ours, connectTimeout };
}

/** Bytes before the verdict. OpenSSL accepts certificates of 100 kB. */
const MAX_BYTES = 0x4_0000;

/** What was seen of one socket. */
interface Heard {
  /** The PRELOGINs: the driver's, then the server's. */
  prelogins: number;
  /** The server's ENCRYPTION, if it lets TLS begin. */
  isConsent: boolean;
  /** Bytes of the server in whole packets. */
  bytes: number;
  /** Its certificate is the pinned one. After a redirect, the connection has a second socket, of which nothing is known yet. */
  isVerified: boolean;
}

function guard(connection: TediousConnection, policy: LeafPolicy): void {
  const { config, state } = connection;
  const { encrypt, debug } = config?.options ?? {};
  if (config === undefined || encrypt !== true || debug?.payload !== true || debug.packet !== true)
    throw unsupported('it does not take its options');
  // An older one connects at once, when it is made.
  if (state?.name !== 'Initialized' || connection.dispatchEvent === undefined)
    throw unsupported('it is older than 9.2');
  // From 12 on, it reads the answer in a promise of its own. An exception there ends the process, and nobody can catch it.
  if (connection.STATE?.SENT_PRELOGIN?.events.message === undefined)
    throw unsupported('it is newer than 11; require tedious@11.0.3');

  const emit = connection.emit as (this: unknown, event: string | symbol, ...args: unknown[]) => boolean;
  const sockets = new WeakMap<Socket, Heard>();
  let isReceived = false;
  let refusal: Error | undefined;
  let isTold = false;

  const heardOf = (socket: Socket): Heard => {
    const heard = sockets.get(socket) ?? { prelogins: 0, isConsent: false, bytes: 0, isVerified: false };
    sockets.set(socket, heard);
    return heard;
  };
  const isVerified = (): boolean => connection.socket !== undefined && heardOf(connection.socket).isVerified;
  const hear = (text: string, socket: Socket): void => {
    const heard = heardOf(socket);
    const [, length] = /^\s*type:0x.*, length:0x([0-9A-F]{4}),/.exec(text) ?? [];
    const [, value] = /^\s*PreLogin - .*, encryption:0x([0-9A-F]{2})\(/.exec(text) ?? [];
    if (text === 'Received' || text === 'Sent') isReceived = text === 'Received';
    if (length !== undefined && isReceived) heard.bytes += Number.parseInt(length, 16);
    // The driver would keep all of it in memory.
    if (!heard.isVerified && heard.bytes > MAX_BYTES)
      refuse(unexpected('mssql', 'the server sent too much before its certificate was seen'));
    if (value === undefined) return;
    heard.prelogins++;
    if (heard.prelogins === 2) heard.isConsent = isConsent(Number.parseInt(value, 16), refuse);
  };
  const refuse = (error: Error): void => {
    refusal ??= error;
    const { socket } = connection;
    // With a listener: the driver may have removed its own.
    if (socket?.destroyed === false) socket.on('error', () => undefined).destroy(refusal);
  };
  const isRefused = (cleartext: TLSSocket, socket: Socket): boolean => {
    const { isConsent, bytes } = heardOf(socket);
    const server = { host: config.server, port: config.options.port };
    // Part of a packet that came before TLS would be read as the beginning of what the verified server says.
    const more = socket.bytesRead - bytes;
    const error = judgeLeaf(cleartext, policy, server).refusal();
    if (error !== undefined) refuse(error);
    if (!isConsent) refuse(unsupported('it did not report the answer of the server'));
    if (more !== 0) refuse(injected('mssql', more));
    return refusal !== undefined;
  };

  const dispatch = connection.dispatchEvent;
  // If the driver throws at an invalid answer, nobody can catch it.
  connection.dispatchEvent = function guardedDispatch(this: unknown, ...event: unknown[]): void {
    try {
      dispatch.apply(this, event);
    } catch (error) {
      if (isVerified()) throw error;
      refuse(unexpected('mssql', `the driver cannot read the answer: ${(error as Error).message}`));
    }
  };
  connection.emit = function guardedEmit(event: string | symbol, ...args: unknown[]): boolean {
    const { socket } = connection;
    if (event === 'debug') {
      if (socket !== undefined) hear(String(args[0]), socket);
      return false;
    }
    if (event === 'secure') {
      if (socket === undefined || isRefused(args[0] as TLSSocket, socket)) return false;
      heardOf(socket).isVerified = true;
    }
    if (event === 'connect' && !isVerified() && codeOf(args[0]) === 'ETIMEOUT')
      refuse(late(config.options.connectTimeout));
    if (refusal === undefined || (event !== 'connect' && event !== 'error'))
      return emit.call(connection, event, ...args);
    // Only once, and only where somebody listens: an `error` event without a listener would end the process.
    if (isTold) return false;
    isTold = true;
    return emit.call(connection, 'connect', withCause(args[0], refusal));
  };
}

function isConsent(value: number, refuse: (error: Error) => void): boolean {
  try {
    demandTls({ at: 0, value });
    return true;
  } catch (error) {
    refuse(error as Error);
    return false;
  }
}

const codeOf = (error: unknown): unknown => (Object(error) as { code?: unknown }).code;

function late(timeoutMs = 0): CertpinError<'ERR_CONNECT_TIMEOUT'> {
  return new CertpinError('ERR_CONNECT_TIMEOUT', `no TLS connection within ${timeoutMs} ms`, { timeoutMs });
}

/** The driver's own error keeps only the text of ours. */
function withCause(error: unknown, cause: Error): unknown {
  return error instanceof Error ? Object.defineProperty(error, 'cause', { value: cause, configurable: true }) : cause;
}

function unsupported(what: string): CertpinError<'ERR_CLIENT_UNSUPPORTED'> {
  const message = `this tedious cannot be pinned: ${what}`;
  return new CertpinError('ERR_CLIENT_UNSUPPORTED', message, { client: 'tedious' });
}
