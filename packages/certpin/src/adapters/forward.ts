import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { refuseUnknownOptions } from '../core/unknown-options.ts';
import { optionErrors } from '../errors.ts';
import { canonicalHost } from '../host.ts';
import { ownOptions, refuseOptions } from '../leaf/options.ts';
import type { Address, Pinner } from '../leaf/pinner.ts';
import { type ClientTlsOptions, readTlsOptions } from '../tls/options.ts';
import { type PolicyInput, tlsPinnerOf } from '../tls/pinner-of.ts';
import { createTunnel, type ProxyInput } from '../tls/proxy.ts';
import { type EndControl, startLoopbackEnd } from '../wire/end.ts';
import { type SocksEnd, startSocksEnd } from '../wire/socks-end.ts';
import { startUnixEnd } from '../wire/unix-end.ts';

export type { EndControl, SocksEnd };

/** The server to which an end forwards. */
export interface ForwardedServer {
  readonly host: string;
  readonly port: number;
}

export interface ForwardOptions {
  /** TLS options towards the server: `cert` and `key` for mutual TLS, `servername`, `ca` for `caVerification`, `ALPNProtocols`. */
  readonly tls?: ClientTlsOptions | undefined;
  /** certpin reaches the server through this proxy, in a tunnel. The server is pinned inside the tunnel. */
  readonly proxy?: ProxyInput | undefined;
}

/** The address of an end at the loopback interface. */
export interface LoopbackEnd extends EndControl {
  readonly host: string;
  readonly port: number;
}

/** The address of an end at a unix socket. */
export interface UnixEnd extends EndControl {
  readonly path: string;
}

/**
 * An end inside this process, for a client that takes no socket. The client connects to the end without TLS, and certpin makes the pinned
 * connection to the server. The end lets in only sockets of this process that Node announces: those of `net.connect` on every Node, and
 * those of `new net.Socket()` since 22.17 and 24.2.
 *
 * ```ts
 * import { createClient } from 'redis';
 * import { pinnedForward } from 'certpin/forward';
 * const { host, port } = await pinnedForward({ host: 'cache.example.com', port: 6380 }, { pins: process.env.CACHE_PINS });
 * const client = createClient({ socket: { host, port }, password: process.env.CACHE_PASSWORD });
 * ```
 *
 * If the server is refused, the client's own socket ends with the `CertpinError`. Until then, no byte has left for the server. Neither the
 * end nor its connections keep the process alive.
 *
 * @throws CertpinError (as a rejection) `ERR_PIN_INVALID`, `ERR_OPTION_INVALID`, `ERR_HOST_UNPINNED`, before anything listens
 */
export async function pinnedForward(
  server: ForwardedServer,
  policy: PolicyInput,
  options: ForwardOptions = {},
): Promise<LoopbackEnd> {
  const { open, pinner, tls } = readForward(policy, options, 'pinnedForward');
  const address = readServer(server, pinner, tls, 'pinnedForward');
  return startLoopbackEnd(() => open(address));
}

/**
 * As {@link pinnedForward}, but at a unix socket, for clients whose sockets Node does not announce. The socket is in a folder of its own
 * that no other user can enter. Other processes of the same user, and root, can reach it. Not on Windows.
 *
 * @throws CertpinError (as a rejection) as {@link pinnedForward}, and `ERR_CLIENT_UNSUPPORTED` on Windows
 */
export async function pinnedForwardPath(
  server: ForwardedServer,
  policy: PolicyInput,
  options: ForwardOptions = {},
): Promise<UnixEnd> {
  const { open, pinner, tls } = readForward(policy, options, 'pinnedForwardPath');
  const address = readServer(server, pinner, tls, 'pinnedForwardPath');
  return startUnixEnd(() => open(address));
}

/**
 * An end that speaks SOCKS5, for clients that know SOCKS5 and talk to several servers. A caller must know a secret that is made for this
 * end. The client names each server itself. The policy for this name applies. Without `hosts`, one policy applies to all servers.
 *
 * ```ts
 * import { MongoClient } from 'mongodb';
 * import { pinnedForwardSocks } from 'certpin/forward';
 * const { proxyHost, proxyPort, proxyUsername, proxyPassword } = await pinnedForwardSocks({ pins: process.env.DB_PINS });
 * const client = new MongoClient(url, { tls: false, proxyHost, proxyPort, proxyUsername, proxyPassword });
 * ```
 *
 * @throws CertpinError (as a rejection) `ERR_PIN_INVALID`, `ERR_OPTION_INVALID`, before anything listens
 */
export async function pinnedForwardSocks(policy: PolicyInput, options: ForwardOptions = {}): Promise<SocksEnd> {
  const { open, pinner } = readForward(policy, options, 'pinnedForwardSocks');
  return startSocksEnd(open, pinner.connectTimeoutMs);
}

interface Onward {
  readonly pinner: Pinner;
  readonly tls: ConnectionOptions;
  readonly open: (server: Address) => TLSSocket;
}

/** What a client sets on its own socket ends at the end. So the system's keep-alive probes find out if the server has gone. */
const onwardDefaults: ConnectionOptions & { keepAlive: boolean; keepAliveInitialDelay: number } = {
  keepAlive: true,
  keepAliveInitialDelay: 60_000,
};

function readForward(policy: PolicyInput, options: ForwardOptions, where: string): Onward {
  const invalid = optionErrors(where);
  refuseUnknownOptions(options, ['tls', 'proxy'], where);
  const { tls = {}, proxy } = ownOptions(options);
  const own = readTlsOptions(tls, `${where} tls`) as ConnectionOptions;
  refuseOptions(own, refusedTls, (option, why) => invalid(option, `\`tls.${option}\`: ${why}`));
  const onward = ownOptions({ ...onwardDefaults, ...own, allowHalfOpen: true });
  const pinner = tlsPinnerOf(policy, 'forward', createTunnel(proxy));
  return {
    pinner,
    tls: onward,
    open: (server) => pinner.open({ ...onward, ...server }, pinner.connectTimeoutMs),
  };
}

const ADDRESS = 'the address of the server is not a TLS option; remove it';
const EACH = 'it would belong to one connection, and an end makes many; remove it';

/** Options of `tls.connect` that would lead the connection to another server, or belong to one connection. */
const refusedTls: Readonly<Record<string, string>> = {
  ...{ host: ADDRESS, port: ADDRESS, path: ADDRESS, socket: EACH, onread: EACH, signal: EACH },
  allowHalfOpen: 'the end itself passes on when one side ends; remove it',
};

/** @throws CertpinError `ERR_OPTION_INVALID`, `ERR_HOST_UNPINNED` */
function readServer(server: ForwardedServer, pinner: Pinner, tls: ConnectionOptions, where: string): Address {
  const invalid = optionErrors(where);
  refuseUnknownOptions(server, ['host', 'port'], where);
  const { host, port } = ownOptions(server);
  if (typeof host !== 'string' || canonicalHost(host) === undefined)
    throw invalid('host', '`host` must be the name or the IP address of the server');
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw invalid('port', '`port` must be a number from 1 to 65535: the port of the server');
  const unpinned = pinner.refusalOf?.({ ...tls, host, port });
  if (unpinned !== undefined) throw unpinned;
  return { host, port };
}
