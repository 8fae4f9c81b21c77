import type { Socket } from 'node:net';
import { addAbortSignal } from 'node:stream';
import { type ConnectionOptions, type TLSSocket, connect as tlsConnect } from 'node:tls';
import { CertpinError } from '../core/errors.ts';
import { ASKS, INLINE } from '../core/form.ts';
import { ownOptions } from '../core/own-options.ts';
import { LateStream } from './late-stream.ts';
import { emitOneError } from './one-error.ts';
import { handshakeOptions, safeHandshake } from './options.ts';
import type { Reuse } from './reuse.ts';
import { startTimeout } from './timeout.ts';

/**
 * Opens a way to the server; calls `done` once, later. Destroying what it returns ends the attempt, and the way.
 *
 * `greets`: the server speaks first, in plaintext. Without it, a byte that follows the proxy's consent is an injection.
 */
export type OpenTunnel = (
  server: { readonly host: string; readonly port: number; readonly greets?: boolean },
  done: (error: Error | undefined, socket?: Socket) => void,
) => { destroy(): unknown };

// The ordinary verification must not end the handshake before the pin was looked at, by the judge of intercept.ts.
export const noVerification: ConnectionOptions = { rejectUnauthorized: false, checkServerIdentity: () => undefined };

interface Opening {
  readonly options: ConnectionOptions & { signal?: AbortSignal };
  readonly connectTimeoutMs?: number | undefined;
  readonly tunnel?: OpenTunnel | undefined;
  readonly reuse?: Reuse | undefined;
  /** Whether a `minVersion` before TLS 1.2 is taken: only where nothing is sent on the connection. */
  readonly oldVersions?: boolean;
}

/** The only call of `tls.connect` in the library. */
export function openTls(how: Opening): TLSSocket {
  const options = ownOptions(how.options);
  const opening = { ...how, options };
  const way = INLINE || how.tunnel === undefined ? undefined : new LateStream();
  const socket = emitOneError(tlsConnect(INLINE ? safeHandshake(options) : prepare(opening, way)));
  /** Now, and not before: options that cannot be used have thrown, and no tunnel is left that nobody closes. */
  if (!INLINE && way !== undefined) startTunnel(opening, way, socket);
  if (!INLINE && options.signal !== undefined) addAbortSignal(options.signal, socket);
  /** Of a driver's connection the whole attempt has a clock already (upgrade.ts). */
  if (INLINE && ASKS !== 'nobody') return socket;
  const stop = startTimeout(how.connectTimeoutMs, (error) => socket.destroy(error));
  return socket.on('secureConnect', stop).on('close', stop);
}

function prepare({ options, reuse, oldVersions }: Opening, way: LateStream | undefined): ConnectionOptions {
  const others: ConnectionOptions = ownOptions({ ...options, signal: undefined });
  if (way !== undefined && (others.path != null || others.socket != null)) {
    const message = 'a unix socket, or a given one, is not reached through a proxy: remove it, or `proxy`';
    throw new CertpinError('ERR_OPTION_INVALID', message, { option: 'proxy' });
  }
  const prepared = handshakeOptions(way === undefined ? others : { ...others, socket: way }, oldVersions);
  return reuse === undefined ? prepared : reuse.prepare(prepared);
}

/** TLS has begun, on a stream whose socket comes when the tunnel stands: clients count the connection from now on. */
function startTunnel({ options, tunnel }: Opening, way: LateStream, socket: TLSSocket): void {
  const server = { host: options.host ?? 'localhost', port: Number(options.port) };
  const attempt = tunnel?.(server, (error, raw) => {
    if (raw === undefined) socket.destroy(error);
    else way.adopt(raw);
  });
  way.once('close', () => attempt?.destroy());
}
