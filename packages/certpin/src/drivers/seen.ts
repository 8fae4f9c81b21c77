import { type Channel, channel } from 'node:diagnostics_channel';
import { type ConnectionOptions, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import { CertpinError, optionErrors } from '../errors.ts';
import type { Attacher } from '../leaf/attacher.ts';
import { openTls, safeHandshake } from '../leaf/handshake.ts';
import { ownOptions, refuseOptions } from '../leaf/options.ts';

/**
 * TLS options for a client that calls `tls.connect` itself. They contain the client's own TLS options too, but the type does not show
 * these. Clients name fewer TLS options than Node, or give them narrower types (mqtt), and would not compile otherwise.
 */
export interface SeenTls {
  readonly secureContext: SecureContext;
  readonly rejectUnauthorized: true;
  readonly ca: never[];
  readonly checkServerIdentity: () => Error;
}

/** Gets a socket that its client has just made, before it connects. */
type Take = (socket: TLSSocket, options: ConnectionOptions) => void;

/** By the secure context in the options of a socket. */
const takes = new WeakMap<SecureContext, Take>();

/**
 * On this channel, Node publishes each client socket while `connect` is being called. It is kept here, because Node drops a channel that
 * nobody references, with its subscribers.
 */
let held: Channel | undefined;
const announced = (): Channel => {
  held ??= channel('net.client.socket');
  return held;
};

/** Options that `tls.connect` would ignore together with a secure context, or that would make it trust a CA. */
const refused: Readonly<Record<string, string>> = {
  ca: 'the pin decides, and a connection that certpin does not see must trust nobody; remove it',
  crl: 'it is read with CAs only; remove it',
  allowPartialTrustChain: 'it is read with CAs only; remove it',
  pfx: 'its CAs would be trusted if certpin does not see the connection; give `cert` and `key`',
  secureContext: 'certpin makes the context; give its parts: `cert`, `key`, `ciphers`, …',
  socket: 'TLS on a given socket is not announced by Node, so it cannot be pinned here',
  path: 'a unix socket is not pinned here; remove it',
};

/** What is in the secure context must not be in the options too: a client that knows few TLS options refuses the others (MongoDB). */
const inContext = 'cert key passphrase ciphers ecdhCurve sigalgs secureOptions minVersion maxVersion'.split(' ');

/**
 * TLS options under which a client's own connections are pinned.
 *
 * Node publishes the socket of each `tls.connect` before it connects. certpin recognises the socket by its secure context and puts the
 * policy on it. If certpin does not see a socket, its context trusts no CA, so Node itself refuses the server.
 *
 * @param where names the function in errors
 * @throws CertpinError `ERR_OPTION_INVALID`; `ERR_CLIENT_UNSUPPORTED` if this Node announces no TLS sockets
 */
export function seenTls(attacher: Attacher, tls: ConnectionOptions, where: string): SeenTls {
  if (!isSupported()) throw unannounced(where, 'or certpin/forward');
  return seenTlsUnchecked(attacher, tls, where);
}

/** As {@link seenTls}, for the tests of what happens if Node announces nothing. */
export function seenTlsUnchecked(attacher: Attacher, tls: ConnectionOptions, where: string): SeenTls {
  const given = ownOptions(tls);
  const invalid = optionErrors(where);
  refuseOptions(given, refused, (option, why) => invalid(option, `\`${option}\`: ${why}`));
  const secureContext = createSecureContext(Object.assign(safeHandshake(given), { ca: [] }));
  // A deep copy of the options must not copy what OpenSSL holds. Such a copy has no context, and `tls.connect` throws.
  Object.defineProperty(secureContext, 'context', { enumerable: false });
  const unseen = (): Error => new CertpinError('ERR_CLIENT_UNSUPPORTED', UNSEEN(where), { client: where });
  takes.set(secureContext, (socket, options) => {
    // Also if a socket connects a second time.
    if (options.rejectUnauthorized !== true) throw changed(where, 'rejectUnauthorized');
    if (options.checkServerIdentity !== unseen) throw changed(where, 'checkServerIdentity');
    for (const option of ['path', 'session', 'pskCallback'] as const)
      if (options[option] != null) throw changed(where, option);
    const name = given.servername;
    if (name && name !== options.servername) throw changed(where, 'servername');
    attacher.attach(socket, options, name);
  });
  listen();
  for (const option of inContext) delete (given as Record<string, unknown>)[option];
  return { ...given, secureContext, rejectUnauthorized: true, ca: [], checkServerIdentity: unseen };
}

/** What Node publishes for a client socket. A socket of `tls.connect` is a TLS socket and has these options. */
interface Announcement {
  readonly socket: TLSSocket;
}

let isListening = false;

function listen(): void {
  if (!isListening) announced().subscribe(onAnnounced);
  isListening = true;
}

function onAnnounced(message: unknown): void {
  const { socket } = message as Announcement;
  const options = connectOptionsOf(socket);
  const take = options?.secureContext && takes.get(options.secureContext);
  if (take === undefined || options === undefined) return;
  try {
    take(socket, options);
  } catch (error) {
    refuse(socket, options, error as Error);
  }
}

/**
 * Destroys a socket before it connects. It does so a moment later: `connect` is still running, and would open a plain connection instead.
 */
function refuse(socket: TLSSocket, options: ConnectionOptions, error: Error): void {
  options.servername = ''; // Node would set it on the socket that is gone
  const end = (): void => void socket.destroy(error);
  process.nextTick(end);
  socket.on('lookup', end); // For a look-up that answers at once.
}

/**
 * The options with which a socket connects. Node keeps them in a property of the socket, and reads them again when the handshake ends
 * (`kConnectOptions` of lib/internal/tls/wrap.js). This is the only private name of Node that certpin uses. Without it, certpin sees no
 * socket.
 */
function connectOptionsOf(socket: TLSSocket): ConnectionOptions | undefined {
  const key = Object.getOwnPropertySymbols(socket).find(({ description }) => description === 'connect-options');
  return key && (socket as never)[key];
}

let supported: boolean | undefined;

/** Whether this Node announces TLS sockets with their options: 22.17 and newer, 24.2 and newer. Tried once, without a connection. */
export function isSupported(): boolean {
  supported ??= isAnnounced();
  return supported;
}

/** A socket that is destroyed in the tick in which it was made opens nothing. */
function isAnnounced(): boolean {
  let isSeen = false;
  const see = (message: unknown): void => {
    isSeen ||= connectOptionsOf((message as Announcement).socket)?.host === NOBODY;
  };
  announced().subscribe(see);
  try {
    openTls(ownOptions<ConnectionOptions>({ host: NOBODY, port: 9 })).destroy();
  } finally {
    announced().unsubscribe(see);
  }
  return isSeen;
}

/** RFC 5737 §3: an address for documentation, where no host is. */
const NOBODY = '192.0.2.1';

const UNSEEN = (where: string): string =>
  `${where}: certpin did not see this connection being made, so it cannot pin it. TLS began on a given socket, or Node did not announce it; use certpin's adapter for this client, or certpin/forward`;

/** @param others what can be used in place of a newer Node */
export function unannounced(where: string, others: string): CertpinError<'ERR_CLIENT_UNSUPPORTED'> {
  const message = `${where}: this Node (${process.version}) does not announce TLS sockets, so a client's own connection cannot be pinned; use Node 22.17, 24.2 or newer, ${others}`;
  return new CertpinError('ERR_CLIENT_UNSUPPORTED', message, { client: where });
}

function changed(where: string, option: string): CertpinError<'ERR_CLIENT_UNSUPPORTED'> {
  const message = `${where}: \`${option}\` of the connection is not what certpin gave to the client, so it was not opened; remove it from the configuration`;
  return new CertpinError('ERR_CLIENT_UNSUPPORTED', message, { client: where });
}
