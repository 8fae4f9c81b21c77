import type { Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { CertpinError } from '../errors.ts';
import type { Pinner } from '../leaf/pinner.ts';
import { startTimeout } from '../leaf/time-limit.ts';
import { createGreetingReader, isErrorPacket, isSslRequest, unsupported } from '../protocols/mysql.ts';
import { closedEarly } from '../protocols/upgrade-errors.ts';
import { NO_UNIX_SOCKET } from '../wire/late-stream.ts';
import {
  type ReadTls,
  readClientTls,
  readDriverConfig,
  type TrustlessTls,
  trustlessTls,
  withPinned,
} from './driver-config.ts';

/** The package `mysql`, as `require('mysql')` or `import mysql from 'mysql'` gives it. */
export interface MysqlModule {
  createConnection(config: object | string): unknown;
  createPool(config: object | string): unknown;
}

/** What `pinnedMysql` reads of a configuration of mysql; everything else passes through untouched. */
export interface MysqlConfig {
  /** TLS options of the client itself: `cert` and `key` for mutual TLS, `servername`, `ciphers`, `ca` for `caVerification`. */
  readonly ssl?: unknown;
  readonly socketPath?: unknown;
}

/** What `pinnedMysql` adds. */
export interface PinnedMysql {
  /** To the hooked driver, this is the pin. To every other driver, it demands that the server is verified against an empty list of CAs. */
  readonly ssl: TrustlessTls;
  /** Connects nowhere: see {@link LOST_HOOK}. */
  readonly socketPath: string;
}

/** The members of a connection of mysql 2.17 and 2.18 that the hook uses (lib/Connection.js, lib/protocol/Protocol.js). */
interface DriverConnection {
  readonly config: { readonly host: string; readonly port: number; socketPath?: unknown; readonly ssl?: unknown };
  readonly _connectCalled: boolean;
  readonly _protocol: DriverProtocol;
  _socket: Socket;
  _startTLS: (onSecure: () => void) => void;
  connect(...args: unknown[]): void;
  _handleNetworkError(error: Error): void;
}

interface DriverProtocol extends NodeJS.EventEmitter {
  write(bytes: Buffer): void;
  end(): void;
}

/** The key in a connection's `ssl`. Its value is the function to call in place of `connect`. It gets the connection's own `connect`. */
type Pin = (connection: DriverConnection, connect: () => void) => void;

/** Symbol.for, so that only one copy of this file hooks the driver. Each configuration brings the code of its own copy. */
const pinned = Symbol.for('certpin.mysql');

/**
 * Only the hooked driver removes this before it connects. A driver that is not hooked, or a copy of the configuration without its pin,
 * tries to connect here. It finds nothing, because /dev/null is not a folder. The error shows this text.
 */
const LOST_HOOK = '/dev/null/certpin: not pinned; use the copy of mysql that pinnedMysql was given';

/**
 * A configuration of mysql that lets the pinner open the connections, if the given copy of the driver makes them. There is no plaintext
 * path.
 *
 * @throws CertpinError `ERR_OPTION_INVALID`
 */
export function configureMysql(config: MysqlConfig, pinner: Pinner, readTls: ReadTls): object {
  const given = readDriverConfig(config, { socketPath: NO_UNIX_SOCKET }, 'pinnedMysql');
  const tls = readClientTls(given.ssl, readTls);
  const pin: Pin = (connection, connect) => {
    const { config: driver } = connection;
    const isPinned = pinner.refusalOf?.({ ...tls, host: driver.host }) === undefined;
    // A host without pins is not called: the driver then connects to the path of a lost hook.
    if (isPinned && driver.socketPath === LOST_HOOK) driver.socketPath = undefined;
    connect();
    guardConnection(connection, pinner, tls);
  };
  // Copies of any depth stay pinned. If a copy loses the symbol, it accepts no server at all. The driver itself sets `rejectUnauthorized`
  // (lib/ConnectionConfig.js).
  const own = { ssl: { ...trustlessTls(), [pinned]: pin }, socketPath: LOST_HOOK };
  return withPinned(given, own, 'pinnedMysql');
}

/**
 * Replaces `connect` of the connections of this copy of the driver, once.
 *
 * @throws CertpinError `ERR_CLIENT_UNSUPPORTED` for another module
 */
export function hookMysql(mysql: MysqlModule): void {
  hook(connectionPrototype(mysql));
}

/** The class of the driver's connections, which it does not export. */
function connectionPrototype(mysql: MysqlModule): DriverConnection {
  // mysql2 connects as soon as it makes a connection, and it has a server. mysql/promise is not part of mysql.
  const isMysql = typeof mysql === 'object' && mysql !== null && 'createQuery' in mysql && !('createServer' in mysql);
  const connection = isMysql ? (mysql.createConnection({}) as Partial<DriverConnection>) : {};
  const prototype = Object.getPrototypeOf(connection) as DriverConnection;
  const methods = [prototype.connect, prototype._startTLS, prototype._handleNetworkError];
  const { write, end, on } = connection._protocol ?? ({} as Partial<DriverProtocol>);
  if ([...methods, write, end, on].every((method) => typeof method === 'function')) return prototype;
  const message = 'the first argument of pinnedMysql must be the module `mysql`, 2.17 or 2.18';
  throw new CertpinError('ERR_CLIENT_UNSUPPORTED', message, { client: 'mysql' });
}

/** If the `ssl` of a connection holds a pin, the pin connects it. Every other connection gets the driver's own `connect`. */
function hook(prototype: DriverConnection): void {
  if (pinned in prototype) return;
  const { connect } = prototype;
  prototype.connect = function pinnedConnect(this: DriverConnection, ...args: unknown[]): void {
    const pin = (this.config.ssl as { [pinned]?: Pin } | undefined)?.[pinned];
    // `connect` may be called again. The driver itself reports that.
    const proceed = (): void => connect.apply(this, args);
    if (pin === undefined || this._connectCalled) proceed();
    else pin(this, proceed);
  };
  Object.defineProperty(prototype, pinned, { value: true });
}

/**
 * Stands between the driver and its socket, from the call of `connect` to the verdict. The driver gets a greeting that is complete and
 * offers TLS, or an error in its place. The server gets SSLRequest. Nothing else passes in either direction.
 */
function guardConnection(connection: DriverConnection, pinner: Pinner, tls: ConnectionOptions): void {
  const { _socket: raw, _protocol: protocol } = connection;
  const { host, port } = connection.config;
  const readGreeting = createGreetingReader();
  let asked = false;
  let verified = false;
  let over = false;

  // Ends the connection like an error of the network: the driver's own call fails with it.
  const end = pinner.begin?.({ ...tls, host, port: Number(port), socket: raw });
  const fail = (error: Error): void => {
    end?.(error, raw);
    connection._socket.destroy();
    if (!over) connection._handleNetworkError(error);
  };
  const unpinned = pinner.refusalOf?.({ ...tls, host });
  if (unpinned !== undefined) Promise.resolve(unpinned).then(fail); // After `connect` has returned, like every other failure.
  const onData = (bytes: Buffer): void => {
    let turnedAway: Buffer | undefined;
    // If the driver throws at a greeting, this connection is refused.
    try {
      const packet = readGreeting(bytes);
      if (packet !== undefined && isErrorPacket(packet)) turnedAway = packet;
      else if (packet !== undefined) protocol.write(packet);
    } catch (error) {
      fail(error as Error);
    }
    // Outside of the try: the driver calls its callback at once, and an exception of the callback belongs to the caller.
    if (turnedAway !== undefined) protocol.write(turnedAway);
  };
  const onEnd = (): void => fail(closedEarly('mysql'));
  const stop = startTimeout(pinner.connectTimeoutMs, fail);
  // The driver's own listeners would pass on everything.
  raw.removeAllListeners('data').on('data', onData).prependListener('end', onEnd).once('close', stop);
  protocol.removeAllListeners('data').on('data', (bytes: Buffer) => {
    if (verified) {
      connection._socket.write(bytes);
    } else if (!asked && isSslRequest(bytes)) {
      asked = true;
      raw.write(bytes);
    } else {
      fail(unsupported('it spoke before the verdict'));
    }
  });
  protocol.once('end', () => {
    over = true;
    if (verified) return;
    end?.(raw.errored, raw);
    connection._socket.destroy();
  });

  connection._startTLS = (onSecure) => {
    raw.off('data', onData).off('end', onEnd).pause();
    const socket = pinner.open({ ...tls, host, port: Number(port), socket: raw });
    // From here on, the driver pauses, ends and destroys the socket that it reads from.
    connection._socket = socket;
    socket.on('error', fail).once('secureConnect', () => {
      stop();
      verified = true;
      end?.(undefined, socket);
      socket.on('data', (bytes) => protocol.write(bytes)).on('end', () => protocol.end());
      onSecure();
    });
  };
}
