import { isIP } from 'node:net';
import tls, { type ConnectionOptions, type SecureContext, type TLSSocket } from 'node:tls';
import { emitOneError } from './one-error.ts';
import { ownOptions } from './options.ts';
import { startTimeout } from './time-limit.ts';

// The ordinary verification must not end the handshake before the pin is checked.
export const noVerification: ConnectionOptions = { rejectUnauthorized: false, checkServerIdentity: () => undefined };

/** What certpin itself sets for a handshake. It overrides the options of the caller. */
export interface OwnHandshake {
  readonly secureContext?: SecureContext | undefined;
  /** The session of an earlier connection that certpin has verified. */
  readonly session?: Buffer | undefined;
  /** Older than TLS 1.2 only if nothing is sent on the connection. */
  readonly minVersion?: ConnectionOptions['minVersion'];
}

/**
 * The only call of `tls.connect` in certpin. When the handshake ends, nobody has checked the server yet: see {@link intercept}.
 *
 * @param own a copy that nobody else has: see {@link ownOptions}. It is changed
 * @param limitMs the time for the whole attempt, from now to the end of the handshake. 0, or undefined: no limit
 * @param add what certpin adds to these options
 */
export function openTls(
  own: ConnectionOptions,
  limitMs?: number,
  add: (safe: ConnectionOptions) => OwnHandshake = () => ({}),
): TLSSocket {
  const socket = emitOneError(tls.connect(Object.assign(makeSafe(own), add(own))));
  const stop = startTimeout(limitMs, (error) => socket.destroy(error));
  return socket.on('secureConnect', stop).on('close', stop);
}

/**
 * Takes over a socket from another `tls.connect` call, before it connects.
 *
 * @param options the options that Node reads when the handshake ends. They are changed
 * @param limitMs as in {@link openTls}
 */
export function takeOver(socket: TLSSocket, options: ConnectionOptions, limitMs?: number): TLSSocket {
  const { servername, host } = options;
  Object.assign(options, noVerification, { servername: serverNameIndication(servername ?? host) });
  const stop = startTimeout(limitMs, (error) => socket.destroy(error));
  return emitOneError(socket).on('secureConnect', stop).on('close', stop);
}

/** The options of a handshake: what the caller chose, and what is not the caller's to choose. */
export function safeHandshake(options: ConnectionOptions): ConnectionOptions {
  return makeSafe(ownOptions(options));
}

function makeSafe(own: ConnectionOptions): ConnectionOptions {
  const { minVersion, secureOptions, servername, host } = own;
  for (const option of notInherited) (own as Record<string, unknown>)[option] ??= undefined;
  return Object.assign(own, {
    minVersion: minVersion === 'TLSv1.3' ? minVersion : 'TLSv1.2',
    // RFC 5746 renegotiation would change the certificate after the verdict.
    secureOptions: (secureOptions ?? 0) | SSL_OP_NO_RENEGOTIATION,
    servername: serverNameIndication(servername ?? host),
    session: undefined,
    pskCallback: undefined,
  });
}

/** Node reads options from `Object.prototype` too. These would choose whom Node trusts, and where it connects. */
const notInherited = ['ca', 'crl', 'secureContext', 'socket', 'path', 'lookup'];

/** OpenSSL 1.1.1 and newer have it. Not every Node has it among its constants. */
const SSL_OP_NO_RENEGOTIATION = 0x4000_0000;

/**
 * RFC 6066 §3: a DNS name without a trailing dot. Addresses are not permitted, and Node 25 throws on them. An empty name keeps Node from
 * using the host.
 */
function serverNameIndication(name: string | undefined): string | undefined {
  const host = name?.replace(/^\[(.*)\]$/, '$1').replace(/%.*$/, '');
  return isIP(host ?? '') === 0 ? host?.replace(/\.$/, '') : '';
}

/** Defaults of Node that a secure context takes over. A program may change them while it runs. */
export const tlsDefaults = (): unknown[] => [tls.DEFAULT_CIPHERS, tls.DEFAULT_ECDH_CURVE, tls.DEFAULT_MAX_VERSION];
