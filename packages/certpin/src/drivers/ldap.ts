import type { Duplex } from 'node:stream';
import type { ConnectionOptions } from 'node:tls';
import { optionInvalid } from '../errors.ts';
import { refuseOptions } from '../leaf/options.ts';
import type { Address, Pinner } from '../leaf/pinner.ts';
import { createLdapUpgrade } from '../protocols/ldap.ts';
import { dial } from '../wire/dial.ts';
import { PinnedStream } from '../wire/pinned-stream.ts';
import { openUpgraded } from '../wire/upgrade.ts';
import type { ReadTls } from './driver-config.ts';

/** A server as a URL names it. */
export interface LdapServer extends Address {
  /** `ldaps:` begins with TLS, `ldap:` with StartTLS. There is no third way. */
  readonly isDirect: boolean;
  /**
   * What a client is given in place of the URL. The scheme is always `ldaps:`. So a client that has lost certpin begins with TLS. A server
   * that waits for StartTLS does not answer that. The client never speaks in plaintext.
   */
  readonly url: string;
}

/**
 * Reads a URL as the clients do. No message contains it, because it may hold a password.
 *
 * @throws CertpinError `ERR_OPTION_INVALID`
 */
export function readLdapUrl(text: unknown, where: string): LdapServer {
  const { protocol, hostname, port } = parse(text, where);
  const isDirect = protocol === 'ldaps:';
  const host = hostname || 'localhost';
  const number = Number(port || (isDirect ? 636 : 389));
  return { isDirect, host: host.replace(/^\[(.*)\]$/, '$1'), port: number, url: `ldaps://${host}:${number}` };
}

function parse(text: unknown, where: string): URL {
  try {
    const url = new URL(typeof text === 'string' ? text : '');
    if (url.protocol === 'ldap:' || url.protocol === 'ldaps:') return url;
  } catch {
    // Node's own error contains the text.
  }
  const message = 'the URL must be ldaps://host:port (TLS at once) or ldap://host:port (always StartTLS)';
  throw optionInvalid('url', `${where}: ${message}`);
}

/**
 * The TLS options of the client itself, without those that would choose another server than the URL.
 *
 * @throws CertpinError `ERR_OPTION_INVALID`
 */
export function readLdapTls(given: object | undefined, readTls: ReadTls, where: string): ConnectionOptions {
  const tls = readTls(given ?? {}, 'tlsOptions');
  const why = 'the URL says where the server is; remove it from `tlsOptions`';
  const refused = { host: why, port: why, path: why, socket: why };
  refuseOptions(tls, refused, (option, reason) => optionInvalid(option, `${where}: \`${option}\`: ${reason}`));
  return tls;
}

/**
 * Opens connections to the server: with TLS at once, or by StartTLS, which the client does not see. `secureConnect` is emitted after a
 * matching verdict. Before that, nothing that the client writes reaches the socket below, and the client cannot remove listeners from it.
 * ldapts removes all listeners from a stream. With two calls at once, it does so even before there is TLS.
 */
export function connectLdap(
  pinner: Pinner,
  tls: ConnectionOptions,
  { isDirect, host, port }: LdapServer,
): () => Duplex {
  const open = openUpgraded(pinner, tls, (address, ready) =>
    dial(address, isDirect ? undefined : createLdapUpgrade(), ready),
  );
  return () => {
    const stream = new PinnedStream({ open });
    stream.once('connect', () => stream.emit('secureConnect'));
    return stream.connect(port, host);
  };
}
